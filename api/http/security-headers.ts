import type { RequestHandler } from 'express';

/** Only what the page itself brings: no inline script, nothing from elsewhere, no frame around it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "img-src 'self' blob: data:",
  "style-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  // Signed links and the sign-in token lie in addresses.
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  // For browsers that don't know frame-ancestors.
  'X-Frame-Options': 'DENY',
};

/** Headers of every answer. A route may set others afterwards, as files do. */
export function createSecurityHeaders(): RequestHandler {
  return (_request, response, next) => {
    response.removeHeader('X-Powered-By');
    response.set(HEADERS);
    next();
  };
}
