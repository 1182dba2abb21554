/**
 * How the heap of the fleet server's Node is bounded, for whoever starts it (package.json, the container, makespacelive.mjs and `npm start`
 * say the same; a test compares them). Young objects get 48 MB: with Node's own bound they took 134 MB for a large fleet, and the pauses to
 * tidy them up were as long. The old heap grows by seven tenths before it is tidied up: what a device says replaces what it said before, and V8 by
 * itself lets as much again lie about. By a fifth, a tenth more of the processor went into tidying up, and what waited for it waited twice as long; by
 * half, it was tidied up each 19 s instead of 25. One thread tidies up beside the main one: V8 by itself takes four,
 * and on two cores they are in the main one's way.
 */
export const fleetServerFlags: readonly string[] = ['--max-semi-space-size=16', '--heap-growing-percent=70', '--v8-pool-size=1'];
