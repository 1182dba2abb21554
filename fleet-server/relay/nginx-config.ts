/**
 * The whole configuration of the relay's nginx, as a function of what it depends on. Nothing in it is secret but the path of
 * the callbacks; the file is readable by its owner alone.
 *
 * Directives of the RTMP module: github.com/arut/nginx-rtmp-module/wiki/Directives
 */
export const relayApplication = 'live';

export type NginxConfigOptions = {
  /** Absolute path of ngx_rtmp_module.so. */
  readonly modulePath: string;
  /** The user that the worker becomes; null when nginx is not started as root and stays who it is. */
  readonly workerUser: string | null;
  readonly rtmpPort: number;
  readonly pidFile: string;
  /** Unix sockets: nginx answers on the first, and calls back on the second. */
  readonly controlSocket: string;
  readonly callbackSocket: string;
  /** In the path of each callback, so that no other program of the worker's user can pass for the relay. */
  readonly callbackSecret: string;
  readonly hlsDirectory: string;
  readonly temporaryDirectory: string;
};

export function nginxConfig(options: NginxConfigOptions): string {
  const callback = (name: string) => quoted(`http://unix:${options.callbackSocket}:/${options.callbackSecret}/${name}`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${quoted(`${options.temporaryDirectory}/${name}`)};`,
  );
  return `# Written by the fleet server at each start: changes made here are lost.
load_module ${quoted(options.modulePath)};
${options.workerUser === null ? '' : `user ${options.workerUser};\n`}daemon off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid ${quoted(options.pidFile)};
error_log stderr warn;
events {
  worker_connections 4096;
}
rtmp {
  access_log off;
  max_connections 2000;
  server {
    listen ${options.rtmpPort};
    chunk_size 4096;
    max_message 4M;
    timeout 20s;
    ping 10s;
    ping_timeout 10s;
    notify_method post;
    application ${relayApplication} {
      live on;
      wait_key on;
      sync 100ms;
      # A device that vanished without a goodbye keeps its name no longer than this.
      drop_idle_publisher 8s;
      on_publish ${callback('publish')};
      on_publish_done ${callback('publish-done')};
      on_play ${callback('play')};
      hls on;
      hls_path ${quoted(options.hlsDirectory)};
      hls_nested on;
      hls_continuous on;
      hls_fragment 2s;
      hls_playlist_length 12s;
      hls_cleanup on;
    }
  }
}
http {
  access_log off;
${temporary.join('\n')}
  server {
    listen unix:${options.controlSocket};
    location = /stat {
      rtmp_stat all;
    }
    location /control/ {
      rtmp_control all;
    }
  }
}
`;
}

/** As nginx reads it: in double quotes, with those and the backslash escaped. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
