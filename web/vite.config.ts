import { defineConfig } from 'vite';

/** Where the API listens while Vite serves the page. */
const API = 'http://127.0.0.1:4000';

export default defineConfig({
  build: {
    target: 'es2022',
    // Everything is a file of ours: the content security policy allows nothing else.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: {
      '/graphql': { target: API, ws: true },
      '/images': API,
      '/thumbnails': API,
      '/sign-out': API,
      // The page itself is at the same address.
      '/sign-in': {
        target: API,
        bypass: ({ method, url }) => (method === 'GET' ? url : undefined),
      },
    },
  },
});
