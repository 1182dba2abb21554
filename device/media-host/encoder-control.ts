/**
 * Sets a V4L2 control of an encoder that runs.
 *
 * The controls of a memory-to-memory encoder belong to the open file, not to the node: who opens the node again (v4l2-ctl) gets
 * another encoder. GStreamer's elements set theirs when `extra-controls` changes while they play, but the binding can give them no
 * structure, and Node has no ioctl. What can be had is the element's descriptor: a child that inherits it has the same open file.
 * That child is perl, which is on every Debian (perl-base is essential), and it is gone after a few milliseconds.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { passedEnvironment } from '#device/media/host-process.ts';

export type ControlOutcome =
  | { readonly kind: 'set' }
  /** The element does not run at the moment. */
  | { readonly kind: 'not-open' }
  | { readonly kind: 'failed'; readonly reason: string };

/** VIDIOC_S_CTRL of linux/videodev2.h, with a struct v4l2_control: the same on every processor that we run on. */
const program = 'my $control = pack("Ll", @ARGV); ioctl(STDIN, 0xC008561C, $control) or die "$!\\n";';
/** A driver that does not answer must not leave processes behind. */
const boundMs = 2000;
const longestReason = 200;

/** `descriptor`: of the encoder's device, to be open until this returns its promise. Never rejects. */
export function setControl(descriptor: number, controlId: number, value: number): Promise<ControlOutcome> {
  return new Promise((resolve) => {
    const cannotStart = (cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      resolve({ kind: 'failed', reason: `perl cannot be started: ${why}`.slice(0, longestReason) });
    };
    let child: ChildProcess;
    try {
      child = spawn('perl', ['-e', program, String(controlId), String(value)], {
        stdio: [descriptor, 'ignore', 'pipe'],
        env: passedEnvironment(),
        timeout: boundMs,
        killSignal: 'SIGKILL',
      });
    } catch (cause) {
      // The element has closed its device in this very moment.
      cannotStart(cause);
      return;
    }
    let complaints = '';
    child.stderr?.on('data', (chunk) => {
      complaints = `${complaints}${String(chunk)}`.slice(-longestReason);
    });
    child.once('error', cannotStart);
    child.once('close', (code, signal) => {
      if (code === 0) resolve({ kind: 'set' });
      else if (signal !== null) resolve({ kind: 'failed', reason: `its driver did not answer within ${boundMs / 1000} s` });
      else resolve({ kind: 'failed', reason: complaints.trim().split('\n').at(-1) ?? '' });
    });
  });
}
