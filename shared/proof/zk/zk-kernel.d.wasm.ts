/** The compiled zk kernel as a static import, which is how a Worker gets WebAssembly. Built by `build-zk-kernel.ts`. */
declare const module: WebAssembly.Module;
export default module;
