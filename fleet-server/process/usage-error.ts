/** The arguments of a subcommand are wrong; the message is the usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
