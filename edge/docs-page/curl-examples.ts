/**
 * One `curl` line for every operation of the edge, as `/docs` shows it. `$EDGE`, `$KEY` and `$CID` are set by the page's
 * first block. A test holds that no operation is without one, and that each names its method and path.
 */
const AUTH = '-H "Authorization: Bearer $KEY"';

/** By operation id. */
export const CURL_EXAMPLES: Readonly<Record<string, string>> = {
  storeFile: `curl -T photo.jpg ${AUTH} "$EDGE/v1/files?name=photo.jpg&type=image/jpeg"`,
  storeFiles: `curl -X POST -F 'a=@notes.txt' -F 'b=@photo.jpg' ${AUTH} "$EDGE/v1/files?ttl=86400"`,
  listFiles: `curl ${AUTH} "$EDGE/v1/files?limit=20"`,
  retrieveFileByName: `curl ${AUTH} "$EDGE/v1/files/by-name/photo.jpg" -o photo.jpg`,
  deleteFileByName: `curl -X DELETE ${AUTH} "$EDGE/v1/files/by-name/photo.jpg"`,
  retrieveFile: `curl ${AUTH} "$EDGE/v1/files/$CID" -o photo.jpg
curl ${AUTH} -r 0-1023 "$EDGE/v1/files/$CID"    # the first KiB`,
  changeFile: `curl -X PATCH ${AUTH} -d '{"ttl":604800,"name":"beach.jpg"}' "$EDGE/v1/files/$CID"`,
  deleteFile: `curl -X DELETE ${AUTH} "$EDGE/v1/files/$CID"`,
  writeEnvelope: `curl -T envelope ${AUTH} "$EDGE/v1/files/$CID/envelope"    # as filetao and the library sign it`,
  readEnvelope: `curl ${AUTH} "$EDGE/v1/files/$CID/envelope?part=age" -o envelope.age`,
  readStatus: `curl ${AUTH} "$EDGE/v1/files/$CID/status"`,
  readDeletion: `curl ${AUTH} "$EDGE/v1/files/$CID/deletion"`,
  openUpload: `curl -X POST ${AUTH} -d "{\\"bytes\\":$(stat -c %s big.iso),\\"name\\":\\"big.iso\\"}" "$EDGE/v1/uploads"`,
  listUploads: `curl ${AUTH} "$EDGE/v1/uploads"`,
  readUpload: `curl ${AUTH} "$EDGE/v1/uploads/$UPLOAD"    # which parts are there`,
  putPart: `tail -c +$((1 + 16777216 * 2)) big.iso | head -c 16777216 | curl -T - ${AUTH} "$EDGE/v1/uploads/$UPLOAD/parts/3"`,
  completeUpload: `curl -X POST ${AUTH} "$EDGE/v1/uploads/$UPLOAD/complete"`,
  abortUpload: `curl -X DELETE ${AUTH} "$EDGE/v1/uploads/$UPLOAD"`,
  login: `filetao login "$EDGE" && curl -X POST -d @login.json "$EDGE/v1/login"    # the body is signed by the account's key`,
  createKey: `curl -X POST ${AUTH} -d '{"label":"laptop"}' "$EDGE/v1/keys"`,
  listKeys: `curl ${AUTH} "$EDGE/v1/keys"`,
  revokeKey: `curl -X DELETE ${AUTH} "$EDGE/v1/keys/$KEY_ID"`,
  readAccount: `curl ${AUTH} "$EDGE/v1/account"`,
  probe: `curl -X POST -H "X-Bittensor-Signature: …" "$EDGE/v1/probes?miner=$MINER&shard=$ANCHOR_ID&bytes=1048576"    # validators alone`,
  readNetwork: `curl "$EDGE/v1/network"`,
  listMiners: `curl "$EDGE/v1/network/miners"`,
  readMiner: `curl "$EDGE/v1/network/miners/$HOTKEY"    # with the reasons`,
  readMinerStatistics: `curl "$EDGE/miner_statistics?limit=12"`,
  readMinerSeries: `curl "$EDGE/miner/$HOTKEY?start_time=$(date -d '1 day ago' +%s)"`,
  readTiersData: `curl "$EDGE/tiers_data"`,
  readNetworkData: `curl "$EDGE/network_data?limit=1"`,
  readHealth: `curl "$EDGE/health"`,
  readOpenApi: `curl "$EDGE/openapi.json"`,
  readDocs: `curl "$EDGE/docs"`,
};
