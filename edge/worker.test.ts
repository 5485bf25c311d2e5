/** The Worker as the runtime sees it; the network behind it is the whole-network tests' business. */
import { expect, test, vi } from 'vitest';
import worker from './worker.ts';

test('a misconfigured Worker says which settings are wrong, to everybody and in the log', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
  const environment = { UPSTASH_REDIS_REST_TOKEN: 'a-secret-token', NETUID: 'x' };
  const request = new Request('https://edge.test/health') as Parameters<typeof worker.fetch>[0];
  const response = await worker.fetch(request, environment, context as unknown as ExecutionContext);
  expect(response.status).toBe(500);
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({ code: 'misconfigured', status: 500 });
  for (const setting of ['UPSTASH_REDIS_REST_URL', 'EDGE_HOTKEY_SEED', 'MASK_SECRETS', 'NETUID']) {
    expect(text).toContain(setting);
  }
  expect(error).toHaveBeenCalledOnce();
  expect(text + JSON.stringify(error.mock.calls)).not.toContain('a-secret-token');
  error.mockRestore();
});
