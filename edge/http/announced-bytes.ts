/** Content-Length, when it can be believed: a chunked body may not have one (RFC 9112 §6.3). */
export function announcedBytes(request: Request): number | undefined {
  if (request.body === null) return 0;
  const header = request.headers.get('Content-Length');
  if (header === null || request.headers.has('Transfer-Encoding') || !/^\d{1,15}$/.test(header)) return undefined;
  return Number(header);
}
