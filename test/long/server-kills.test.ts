/** The fleet server is killed fifty times at moments that nobody chose, under writes: `npm run bench:kills` prints its figures. */
import { test } from 'vitest';
import { expectNothingLost } from '../fleet-server/process/nothing-lost.ts';

const kills = 50;

test(`a server that is killed ${kills} times under writes has every write that it acknowledged`, () => expectNothingLost(kills), 600_000);
