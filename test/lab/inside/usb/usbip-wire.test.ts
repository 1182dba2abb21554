import { expect, test } from 'vitest';
import { completion, isochronousCompletion, type Submission, takeCommand, unlinked } from './usbip-wire.ts';

/** Big-endian words, as they travel. */
const words = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
};
const noSetup = Buffer.alloc(8);

/** GET_DESCRIPTOR of the device, 18 bytes, as the kernel asks first. */
const getDescriptor = Buffer.concat([words(1, 7, 0x10002, 1, 0, 0x200, 18, 0, 0, 0), Buffer.from('8006000100001200', 'hex')]);

function submissionOf(bytes: Buffer): Submission {
  const command = takeCommand(bytes)?.command;
  if (command?.kind !== 'submit') throw new Error(`expected a submission, came ${command?.kind}`);
  return command;
}

test('a question on endpoint 0, in pieces and with another one behind it', () => {
  expect(takeCommand(getDescriptor.subarray(0, 47))).toBeNull();
  const taken = takeCommand(Buffer.concat([getDescriptor, getDescriptor]));
  expect(taken?.command).toMatchObject({ kind: 'submit', sequence: 7, endpoint: 0, isIn: true, roomBytes: 18, packetBytes: [] });
  expect(submissionOf(getDescriptor).setup).toEqual({ requestType: 0x80, request: 6, value: 0x0100, index: 0, length: 18 });
  expect(taken?.rest).toEqual(getDescriptor);
});

test('what the host sends along is waited for', () => {
  const order = Buffer.concat([words(1, 8, 0x10002, 0, 0, 0, 3, 0, 0xffffffff, 0), Buffer.from('2201000182000300', 'hex')]);
  expect(takeCommand(order)).toBeNull();
  const submission = submissionOf(Buffer.concat([order, Buffer.from([1, 2, 3])]));
  expect(submission).toMatchObject({ isIn: false, data: Buffer.from([1, 2, 3]), packetBytes: [] });
  expect(completion(submission, Buffer.alloc(0)).readUInt32BE(24)).toBe(3);
});

test('an answer is never longer than what the host has room for; none at all is a stall', () => {
  const submission = submissionOf(getDescriptor);
  const answer = completion(submission, Buffer.alloc(30, 9));
  expect([answer.readUInt32BE(0), answer.readUInt32BE(4), answer.readInt32BE(20), answer.readUInt32BE(24)]).toEqual([3, 7, 0, 18]);
  expect(answer).toHaveLength(48 + 18);
  expect(completion(submission, null).readInt32BE(20)).toBe(-32);
});

test('sound: each packet at its place, with what it carries', () => {
  const request = Buffer.concat([words(1, 9, 0x10002, 1, 2, 2, 200, 0, 2, 8), noSetup, words(0, 100, 0, 0, 100, 100, 0, 0)]);
  const submission = submissionOf(request);
  expect(submission.packetBytes).toEqual([100, 100]);
  const answer = isochronousCompletion(submission, [Buffer.alloc(64, 1), Buffer.alloc(62, 2)]);
  expect([answer.readUInt32BE(24), answer.readUInt32BE(32)]).toEqual([126, 2]);
  expect(answer.subarray(48 + 126)).toEqual(words(0, 100, 64, 0, 100, 100, 62, 0));
});

test('a transfer that the host takes back, in time or too late', () => {
  const bytes = Buffer.concat([words(2, 11, 0x10002, 1, 1, 9), Buffer.alloc(24)]);
  expect(takeCommand(bytes)?.command).toEqual({ kind: 'unlink', sequence: 11, submission: 9 });
  expect([unlinked(11, true).readInt32BE(20), unlinked(11, false).readInt32BE(20)]).toEqual([-104, 0]);
});

test('what is no command ends it', () => {
  expect(() => takeCommand(words(5, ...Array.from({ length: 11 }, () => 0)))).toThrow('expected a command of the host, came 00000005');
  expect(() => takeCommand(Buffer.concat([words(1, 7, 0, 1, 0, 0, 0x7fffffff, 0, 0, 0), noSetup]))).toThrow('expected a command');
});
