import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { ClientProvider } from './graphql/client-context.ts';
import { createClient } from './graphql/client.ts';
import { createSubscriber } from './graphql/subscriber.ts';
import { redirect } from './history.ts';
import { signInHref } from './location.ts';
import './styles/base.css';

const client = {
  ...createClient({
    onUnauthenticated: () => {
      const { pathname, search } = window.location;
      if (pathname !== '/sign-in') redirect(signInHref(pathname + search));
    },
  }),
  ...createSubscriber(`${window.location.origin.replace(/^http/, 'ws')}/graphql`),
};

const container = document.getElementById('app');
if (container === null) throw new Error('index.html has lost its #app.');
createRoot(container).render(
  <ClientProvider value={client}>
    <App />
  </ClientProvider>,
);
