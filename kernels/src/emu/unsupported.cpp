// SPDX-License-Identifier: Apache-2.0
// The driver entry points that JCuda 12.6.0 imports and the emulation does not offer: each reports
// its name and returns CUDA_ERROR_NOT_SUPPORTED, where a missing symbol would end the process at
// the first call.
#include <cstdio>
#define U(name)                                                 \
  __attribute__((visibility("default"))) int name() {           \
    std::fprintf(stderr, "cuemu: %s is not emulated\n", #name); \
    return 801;                                                 \
  }
extern "C" {
U(cuCtxCreate_v2)
U(cuCtxDestroy_v2) U(cuArray3DCreate_v2) U(cuArray3DGetDescriptor_v2) U(cuArrayCreate_v2) U(cuArrayDestroy) U(cuArrayGetDescriptor_v2) U(
    cuArrayGetMemoryRequirements) U(cuArrayGetPlane) U(cuArrayGetSparseProperties) U(cuCtxAttach) U(cuCtxDetach)
    U(cuCtxDisablePeerAccess) U(cuCtxEnablePeerAccess) U(cuCtxGetCacheConfig) U(cuCtxGetFlags) U(cuCtxGetId) U(
        cuCtxGetSharedMemConfig) U(cuCtxSetCacheConfig) U(cuCtxSetSharedMemConfig) U(cuDeviceCanAccessPeer) U(cuDeviceGetByPCIBusId)
        U(cuDeviceGetP2PAttribute) U(cuDeviceGetPCIBusId) U(cuDeviceGetProperties) U(cuDeviceGetTexture1DLinearMaxWidth) U(cuFuncGetModule) U(
            cuFuncSetBlockShape) U(cuFuncSetSharedMemConfig) U(cuFuncSetSharedSize) U(cuGLCtxCreate_v2) U(cuGLGetDevices_v2) U(cuGLInit)
            U(cuGLMapBufferObjectAsync_v2) U(cuGLMapBufferObject_v2) U(cuGLRegisterBufferObject) U(cuGLSetBufferObjectMapFlags) U(
                cuGLUnmapBufferObject) U(cuGLUnmapBufferObjectAsync) U(cuGLUnregisterBufferObject) U(cuGraphAddChildGraphNode)
                U(cuGraphAddDependencies) U(cuGraphAddEmptyNode) U(cuGraphAddEventRecordNode) U(cuGraphAddEventWaitNode) U(cuGraphAddHostNode) U(
                    cuGraphAddKernelNode_v2) U(cuGraphAddMemcpyNode) U(cuGraphAddMemsetNode) U(cuGraphChildGraphNodeGetGraph) U(cuGraphClone)
                    U(cuGraphCreate) U(cuGraphDestroyNode) U(cuGraphEventRecordNodeGetEvent) U(cuGraphEventRecordNodeSetEvent) U(cuGraphEventWaitNodeGetEvent) U(cuGraphEventWaitNodeSetEvent) U(cuGraphExecChildGraphNodeSetParams) U(cuGraphExecEventRecordNodeSetEvent) U(cuGraphExecEventWaitNodeSetEvent) U(cuGraphExecHostNodeSetParams) U(cuGraphExecKernelNodeSetParams_v2) U(cuGraphExecMemcpyNodeSetParams) U(cuGraphExecMemsetNodeSetParams) U(
                        cuGraphGetEdges) U(cuGraphGetRootNodes) U(cuGraphHostNodeGetParams) U(cuGraphHostNodeSetParams) U(cuGraphKernelNodeCopyAttributes)
                        U(cuGraphKernelNodeGetAttribute) U(cuGraphKernelNodeGetParams_v2) U(cuGraphKernelNodeSetAttribute) U(
                            cuGraphKernelNodeSetParams_v2) U(cuGraphMemcpyNodeGetParams) U(cuGraphMemcpyNodeSetParams) U(cuGraphMemsetNodeGetParams)
                            U(cuGraphNodeFindInClone) U(
                                cuGraphNodeGetDependencies) U(cuGraphNodeGetDependentNodes) U(cuGraphNodeGetType) U(cuGraphRemoveDependencies)
                                U(cuGraphicsGLRegisterBuffer) U(cuGraphicsGLRegisterImage) U(cuGraphicsMapResources) U(
                                    cuGraphicsResourceGetMappedMipmappedArray) U(cuGraphicsResourceGetMappedPointer_v2) U(cuGraphicsResourceSetMapFlags_v2)
                                    U(cuGraphicsSubResourceGetMappedArray) U(cuGraphicsUnmapResources) U(cuGraphicsUnregisterResource) U(
                                        cuIpcCloseMemHandle) U(cuIpcGetEventHandle) U(cuIpcGetMemHandle) U(cuIpcOpenEventHandle)
                                        U(cuIpcOpenMemHandle_v2) U(cuLaunch) U(cuLaunchCooperativeKernelMultiDevice) U(cuLaunchGrid) U(
                                            cuLaunchGridAsync) U(cuLinkAddData_v2) U(cuLinkAddFile_v2)
                                            U(cuLinkComplete) U(cuLinkCreate_v2) U(cuLinkDestroy) U(cuMemAddressFree) U(
                                                cuMemAddressReserve) U(cuMemAdvise) U(cuMemAllocFromPoolAsync) U(cuMemAllocManaged)
                                                U(cuMemAllocPitch_v2) U(cuMemCreate) U(cuMemExportToShareableHandle) U(
                                                    cuMemGetAccess) U(cuMemGetAddressRange_v2) U(cuMemGetAllocationGranularity)
                                                    U(cuMemGetAllocationPropertiesFromHandle) U(cuMemHostGetFlags) U(
                                                        cuMemImportFromShareableHandle) U(cuMemMap) U(cuMemPoolCreate) U(cuMemPoolDestroy)
                                                        U(cuMemPoolTrimTo) U(cuMemPrefetchAsync) U(cuMemRangeGetAttribute) U(
                                                            cuMemRangeGetAttributes) U(cuMemRelease)
                                                            U(cuMemRetainAllocationHandle) U(cuMemSetAccess) U(
                                                                cuMemUnmap) U(cuMemcpy2DAsync_v2) U(cuMemcpy2DUnaligned_v2)
                                                                U(cuMemcpy2D_v2) U(cuMemcpy3DAsync_v2) U(
                                                                    cuMemcpy3DPeer) U(cuMemcpy3DPeerAsync) U(cuMemcpy3D_v2)
                                                                    U(cuMemcpyAtoA_v2) U(cuMemcpyAtoD_v2) U(
                                                                        cuMemcpyAtoHAsync_v2) U(cuMemcpyAtoH_v2)
                                                                        U(cuMemcpyDtoA_v2) U(cuMemcpyHtoAAsync_v2) U(
                                                                            cuMemcpyHtoA_v2) U(cuMemcpyPeer)
                                                                            U(cuMemcpyPeerAsync) U(
                                                                                cuMemsetD2D16Async) U(cuMemsetD2D16_v2)
                                                                                U(cuMemsetD2D32Async) U(
                                                                                    cuMemsetD2D32_v2) U(cuMemsetD2D8Async)
                                                                                    U(cuMemsetD2D8_v2) U(
                                                                                        cuMipmappedArrayCreate)
                                                                                        U(cuMipmappedArrayDestroy) U(
                                                                                            cuMipmappedArrayGetLevel)
                                                                                            U(cuMipmappedArrayGetMemoryRequirements)
                                                                                                U(cuMipmappedArrayGetSparseProperties)
                                                                                                    U(cuModuleGetGlobal_v2) U(cuModuleGetLoadingMode) U(cuModuleGetSurfRef) U(cuModuleGetTexRef) U(cuOccupancyAvailableDynamicSMemPerBlock) U(cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags) U(cuOccupancyMaxPotentialBlockSize) U(cuOccupancyMaxPotentialBlockSizeWithFlags) U(cuParamSetSize) U(cuParamSetTexRef) U(cuParamSetf) U(cuParamSeti) U(cuParamSetv) U(cuPointerGetAttribute) U(cuPointerGetAttributes) U(cuPointerSetAttribute) U(cuProfilerInitialize) U(cuStreamAttachMemAsync) U(
                                                                                                        cuStreamCopyAttributes)
                                                                                                        U(cuStreamGetAttribute) U(
                                                                                                            cuStreamGetCtx) U(cuStreamGetFlags)
                                                                                                            U(cuStreamGetId) U(cuStreamGetPriority) U(cuStreamSetAttribute) U(cuStreamWaitValue32_v2) U(cuStreamWaitValue64_v2) U(cuStreamWriteValue32_v2) U(cuStreamWriteValue64_v2) U(cuSurfObjectCreate) U(cuSurfObjectDestroy) U(cuSurfObjectGetResourceDesc) U(cuSurfRefGetArray) U(cuSurfRefSetArray) U(
                                                                                                                cuTexObjectCreate) U(cuTexObjectDestroy) U(cuTexObjectGetResourceDesc)
                                                                                                                U(cuTexObjectGetResourceViewDesc) U(
                                                                                                                    cuTexObjectGetTextureDesc) U(cuTexRefCreate)
                                                                                                                    U(cuTexRefDestroy) U(
                                                                                                                        cuTexRefGetAddressMode)
                                                                                                                        U(cuTexRefGetAddress_v2) U(
                                                                                                                            cuTexRefGetArray)
                                                                                                                            U(cuTexRefGetBorderColor) U(
                                                                                                                                cuTexRefGetFilterMode)
                                                                                                                                U(cuTexRefGetFlags) U(
                                                                                                                                    cuTexRefGetFormat) U(cuTexRefGetMaxAnisotropy) U(cuTexRefGetMipmapFilterMode) U(cuTexRefGetMipmapLevelBias) U(cuTexRefGetMipmapLevelClamp) U(cuTexRefGetMipmappedArray) U(cuTexRefSetAddress2D_v3) U(cuTexRefSetAddressMode) U(cuTexRefSetAddress_v2) U(cuTexRefSetArray) U(cuTexRefSetBorderColor) U(cuTexRefSetFilterMode) U(cuTexRefSetFlags) U(cuTexRefSetFormat) U(cuTexRefSetMaxAnisotropy) U(cuTexRefSetMipmapFilterMode)
                                                                                                                                    U(cuTexRefSetMipmapLevelBias) U(cuTexRefSetMipmapLevelClamp) U(
                                                                                                                                        cuTexRefSetMipmappedArray)
                                                                                                                                        U(cuThreadExchangeStreamCaptureMode)
}
