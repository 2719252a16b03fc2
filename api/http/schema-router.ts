import { Router, type Request } from 'express';
import { printSchema, type GraphQLSchema } from 'graphql';

/** `GET /schema.graphql`: the SDL, for code generators; for operators, as introspection may be off. */
export function createSchemaRouter(
  schema: GraphQLSchema,
  isAllowed: (request: Request) => Promise<boolean>,
): Router {
  const router = Router();
  router.get('/schema.graphql', async (request, response) => {
    if (await isAllowed(request)) {
      response.type('text/plain; charset=utf-8').send(`${printSchema(schema)}\n`);
      return;
    }
    const message = 'Ask from the machine itself, or with the key of an ADMIN.';
    response.status(403).json({ code: 'FORBIDDEN', message });
  });
  return router;
}
