/** ffmpeg in a device's place: a test picture with a tone, in real time, to an RTMP address. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export function publisherArguments(address: string, size = '320x180'): readonly string[] {
  const picture = ['-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-f', 'lavfi', '-i', 'sine=sample_rate=44100'];
  const encoding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '30', '-c:a', 'aac'];
  return ['-loglevel', 'error', ...picture, ...encoding, '-f', 'flv', address];
}

/** Publishes until it is ended; ending it twice is once. */
export function publish(address: string): { end(): Promise<void> } {
  const child = spawn('ffmpeg', publisherArguments(address), { stdio: 'ignore' });
  const exited = once(child, 'exit');
  return {
    end: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
