/** The people who may sign in. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { ChangedPerson, MadePerson, NewPerson, PersonList, PersonPatch } from '#protocol/model/person.ts';

const tags = ['people'];
const Params = Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }) });

export const peopleRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const admin = app.requireRole('admin');
  const changed = () => app.changes.publish({ subject: 'people' });

  app.get(
    '/people',
    { schema: { tags, summary: 'Everybody who may sign in', response: { 200: PersonList, ...problemAnswers } }, preHandler: admin },
    () => app.people.list(),
  );
  app.post(
    '/people',
    {
      schema: {
        tags,
        summary: 'Adds a person; a password that is made here is shown this once',
        body: NewPerson,
        response: { 201: MadePerson, ...problemAnswers },
      },
      preHandler: admin,
    },
    async (request, reply) => {
      const made = await app.people.add(request.body, request.actor);
      changed();
      return reply.code(201).send(made);
    },
  );
  app.patch(
    '/people/:name',
    {
      schema: {
        tags,
        summary: 'Gives a person another role or password, and ends their sessions; with a password their access tokens, too',
        params: Params,
        body: PersonPatch,
        response: { 200: ChangedPerson, ...problemAnswers },
      },
      preHandler: admin,
    },
    async (request) => {
      const person = await app.people.change(request.params.name, request.body, request.actor);
      changed();
      return person;
    },
  );
  app.delete(
    '/people/:name',
    {
      schema: {
        tags,
        summary: 'Removes a person, with their sessions and access tokens',
        params: Params,
        response: { 204: Type.Null(), ...problemAnswers },
      },
      preHandler: admin,
    },
    async (request, reply) => {
      await app.people.remove(request.params.name, request.actor);
      changed();
      return reply.code(204).send(null);
    },
  );
};
