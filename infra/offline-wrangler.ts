/** wrangler's environment wherever this project runs it: nothing is asked of anybody outside this machine. */
export const offlineWrangler = (workDir: string): Readonly<Record<string, string>> => ({
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  // The banner asks the registry for a newer version.
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  CI: 'true',
  NO_COLOR: '1',
  WRANGLER_LOG_PATH: `${workDir}/logs`,
  WRANGLER_REGISTRY_PATH: `${workDir}/registry`,
  WRANGLER_CACHE_DIR: `${workDir}/cache`,
  XDG_CONFIG_HOME: `${workDir}/config`,
});
