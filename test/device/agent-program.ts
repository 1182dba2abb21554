/** The agent as it is shipped: what starts from a few files costs a third of what starts from a thousand modules. Bundled before the tests. */
import { join } from 'node:path';

export const agentProgram = join(import.meta.dirname, '..', '..', '.build', 'agent', 'agent.js');
