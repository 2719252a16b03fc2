import { ClientError, PREFLIGHT_HEADER } from './graphql/client.ts';

export type Credentials = { readonly token: string } | { readonly apiKey: string };

/** Sets the session's cookie, which scripts can't read. False: the token or key was refused. */
export async function signIn(credentials: Credentials): Promise<boolean> {
  const response = await post('/sign-in', credentials);
  if (response.ok) return true;
  if (response.status === 400 || response.status === 401 || response.status === 403) return false;
  throw new ClientError('BAD_RESPONSE', `Signing in gave HTTP ${response.status}.`);
}

export async function signOut(): Promise<void> {
  const response = await post('/sign-out', {});
  if (!response.ok) {
    throw new ClientError('BAD_RESPONSE', `Signing out gave HTTP ${response.status}.`);
  }
}

async function post(path: string, body: unknown): Promise<Response> {
  try {
    return await fetch(path, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'content-type': 'application/json', ...PREFLIGHT_HEADER },
      body: JSON.stringify(body),
    });
  } catch (error) {
    throw new ClientError('UNREACHABLE', "The server can't be reached.", { cause: error });
  }
}
