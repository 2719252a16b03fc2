import { SESSION_SECONDS } from '../../store/api-keys.ts';

/** The sign-in cookie: holds a key made for this browser, out of reach of the page's scripts. */
const NAME = 'sharelock_session';

export function sessionCookie(secret: string, isSecure: boolean): string {
  return attributes(`${NAME}=${secret}`, SESSION_SECONDS, isSecure);
}

export function expiredSessionCookie(isSecure: boolean): string {
  return attributes(`${NAME}=`, 0, isSecure);
}

function attributes(pair: string, maxAge: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  return `${pair}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}

export function readSessionCookie(header: string | undefined): string | null {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  const value = pairs.find((pair) => pair.startsWith(`${NAME}=`))?.slice(NAME.length + 1);
  return value === undefined || value === '' ? null : value;
}
