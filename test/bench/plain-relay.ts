/** nginx with the RTMP module and nothing of ours: the same far side for gst-launch-1.0 as for the agent. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { until } from '../until.ts';

const moduleFolders = ['/usr/lib/nginx/modules', '/usr/share/nginx/modules'];

export async function startPlainRelay(folder: string, port: number): Promise<{ stop(): Promise<void> }> {
  const module = moduleFolders.map((modules) => join(modules, 'ngx_rtmp_module.so')).find((file) => existsSync(file));
  const configuration = `load_module ${module};
daemon off;
worker_processes 1;
pid ${folder}/plain.pid;
error_log stderr error;
events {}
rtmp { access_log off; server { listen 127.0.0.1:${port}; application live { live on; } } }
`;
  const file = join(folder, 'plain.conf');
  writeFileSync(file, configuration);
  const child = spawn('nginx', ['-p', folder, '-c', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  await until('nginx to listen', 5000, async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    return true;
  });
  return {
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
