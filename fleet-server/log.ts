/** What a domain needs of a log; Fastify's own (pino) fits it. Fields are data, the message is a fixed sentence; neither may hold a secret. */
export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};
