// A Vulkan driver that wraps lavapipe's and says it is an NVIDIA H200: for looking at what Dawn would give that driver.
// Every compute pipeline is replaced by an empty one, so nothing is computed. README.md lists the switches.
#define _GNU_SOURCE
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>
#include <vulkan/vk_icd.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

typedef struct { VkStructureType sType; void *pNext; uint32_t M, N, K, A, B, C, R; VkBool32 sat; uint32_t scope; } CoopProps;
#define ST_COOP_FEATURES 1000506000
#define ST_COOP_PROPS_ENTRY 1000506001
#define ST_COOP_PROPERTIES 1000506002

static PFN_vkGetInstanceProcAddr next_gipa;
static PFN_vkVoidFunction (*next_pdpa)(VkInstance, const char *);
static VkInstance the_instance;
static int dry, robust_uab = 1, coop_robust = 1, has_coop = 1, say;
static const char *dump;
static FILE *tracing;

static int load(void) {
  static int done;
  if (done) return next_gipa != NULL;
  done = 1;
  void *lib = dlopen("libvulkan_lvp.so", RTLD_NOW | RTLD_LOCAL);
  if (!lib) lib = dlopen("/usr/lib/x86_64-linux-gnu/libvulkan_lvp.so", RTLD_NOW | RTLD_LOCAL);
  if (!lib) { fprintf(stderr, "fakenv: %s\n", dlerror()); return 0; }
  next_gipa = (PFN_vkGetInstanceProcAddr)dlsym(lib, "vk_icdGetInstanceProcAddr");
  next_pdpa = dlsym(lib, "vk_icdGetPhysicalDeviceProcAddr");
  dump = getenv("FAKENV_DUMP");
  dry = getenv("FAKENV_RUN") == NULL;
  if (getenv("FAKENV_NO_UAB")) robust_uab = 0;
  if (getenv("FAKENV_NO_COOP_ROBUST")) coop_robust = 0;
  if (getenv("FAKENV_NO_COOP")) has_coop = 0;
  say = getenv("FAKENV_SAY") != NULL;
  if (getenv("FAKENV_TRACE")) {
    char path[512];
    snprintf(path, sizeof path, "%s/%d.trace", getenv("FAKENV_TRACE"), (int)getpid());
    tracing = fopen(path, "w");
  }
  return 1;
}
// One line a command, in the order in which the driver gets them; a line `submit` ends those of a submission.
#define TRACE(...) do { if (tracing) fprintf(tracing, __VA_ARGS__); } while (0)
#define NEXT(inst, name) ((PFN_##name)next_gipa(inst, #name))

VKAPI_ATTR VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *v) { if (*v > 5) *v = 5; return VK_SUCCESS; }

static VkResult VKAPI_CALL my_CreateInstance(const VkInstanceCreateInfo *i, const VkAllocationCallbacks *a, VkInstance *o) {
  VkResult r = NEXT(NULL, vkCreateInstance)(i, a, o);
  if (r == VK_SUCCESS) the_instance = *o;
  return r;
}

static void fix_limits(VkPhysicalDeviceProperties *p) {
  p->vendorID = 0x10DE; p->deviceID = 0x2335; p->deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
  p->driverVersion = (580u << 22) | (159u << 14) | (4u << 6);
  strcpy(p->deviceName, "NVIDIA H200");
  VkPhysicalDeviceLimits *l = &p->limits;
  l->maxStorageBufferRange = 0xffffffffu; l->maxUniformBufferRange = 65536;
  l->minStorageBufferOffsetAlignment = 16; l->minUniformBufferOffsetAlignment = 64; l->nonCoherentAtomSize = 64;
  l->maxComputeSharedMemorySize = 49152; l->maxComputeWorkGroupInvocations = 1024;
  l->maxComputeWorkGroupCount[0] = 0x7fffffff; l->maxComputeWorkGroupCount[1] = l->maxComputeWorkGroupCount[2] = 65535;
  l->maxComputeWorkGroupSize[0] = l->maxComputeWorkGroupSize[1] = 1024; l->maxComputeWorkGroupSize[2] = 64;
  l->maxPushConstantsSize = 256;
  l->timestampPeriod = 1.0f;
}
static void VKAPI_CALL my_GetPhysicalDeviceProperties(VkPhysicalDevice d, VkPhysicalDeviceProperties *p) {
  NEXT(the_instance, vkGetPhysicalDeviceProperties)(d, p);
  fix_limits(p);
}
static void VKAPI_CALL my_GetPhysicalDeviceProperties2(VkPhysicalDevice d, VkPhysicalDeviceProperties2 *p) {
  NEXT(the_instance, vkGetPhysicalDeviceProperties2)(d, p);
  fix_limits(&p->properties);
  for (VkBaseOutStructure *s = p->pNext; s; s = s->pNext) {
    switch ((int)s->sType) {
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES: ((VkPhysicalDeviceSubgroupProperties *)s)->subgroupSize = 32; break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES: {
      VkPhysicalDeviceSubgroupSizeControlProperties *q = (void *)s;
      q->minSubgroupSize = q->maxSubgroupSize = 32; q->maxComputeWorkgroupSubgroups = 32; q->requiredSubgroupSizeStages = VK_SHADER_STAGE_COMPUTE_BIT;
      break; }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES: {
      VkPhysicalDeviceDriverProperties *q = (void *)s;
      q->driverID = VK_DRIVER_ID_NVIDIA_PROPRIETARY; strcpy(q->driverName, "NVIDIA"); strcpy(q->driverInfo, "580.159.04"); break; }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES: ((VkPhysicalDeviceMaintenance4Properties *)s)->maxBufferSize = 0x10000000000ull; break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES: ((VkPhysicalDeviceMaintenance3Properties *)s)->maxMemoryAllocationSize = 0xffe00000u; break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DESCRIPTOR_INDEXING_PROPERTIES: ((VkPhysicalDeviceDescriptorIndexingProperties *)s)->robustBufferAccessUpdateAfterBind = robust_uab; break;
    case ST_COOP_PROPERTIES: *(VkShaderStageFlags *)(s + 1) = VK_SHADER_STAGE_COMPUTE_BIT; break;
    }
  }
}
static void VKAPI_CALL my_GetPhysicalDeviceFeatures2(VkPhysicalDevice d, VkPhysicalDeviceFeatures2 *p) {
  NEXT(the_instance, vkGetPhysicalDeviceFeatures2)(d, p);
  for (VkBaseOutStructure *s = p->pNext; s; s = s->pNext) {
    if ((int)s->sType == ST_COOP_FEATURES) { VkBool32 *b = (VkBool32 *)(s + 1); b[0] = has_coop; b[1] = coop_robust; }
    if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES) {
      VkPhysicalDeviceSubgroupSizeControlFeatures *q = (void *)s; q->subgroupSizeControl = q->computeFullSubgroups = VK_TRUE; }
  }
}
static VkResult VKAPI_CALL my_EnumerateDeviceExtensionProperties(VkPhysicalDevice d, const char *layer, uint32_t *n, VkExtensionProperties *e) {
  uint32_t own = 0;
  PFN_vkEnumerateDeviceExtensionProperties f = NEXT(the_instance, vkEnumerateDeviceExtensionProperties);
  VkResult r = f(d, layer, &own, NULL);
  if (r != VK_SUCCESS || layer) return f(d, layer, n, e);
  VkExtensionProperties *all = malloc((own + 1) * sizeof *all);
  f(d, layer, &own, all);
  int known = 0;
  for (uint32_t i = 0; i < own; i++) known |= !strcmp(all[i].extensionName, "VK_KHR_cooperative_matrix");
  if (!known && has_coop) { memset(&all[own], 0, sizeof all[own]); strcpy(all[own].extensionName, "VK_KHR_cooperative_matrix"); all[own].specVersion = 2; own++; }
  if (!e) { *n = own; free(all); return VK_SUCCESS; }
  uint32_t take = *n < own ? *n : own;
  memcpy(e, all, take * sizeof *e);
  free(all);
  r = take < own ? VK_INCOMPLETE : VK_SUCCESS;
  *n = take;
  return r;
}
static VkResult VKAPI_CALL my_CoopProps(VkPhysicalDevice d, uint32_t *n, CoopProps *out) {
  // M N K, type of A and B, type of C and result: f16 0, f32 1, s8 3, s32 5, u8 7, u32 9
  static const uint32_t list[][5] = { {16,16,16,0,0}, {16,8,16,0,0}, {16,8,8,0,0}, {16,16,16,0,1}, {16,8,16,0,1}, {16,8,8,0,1},
    {16,16,32,7,9}, {16,8,32,7,9}, {16,16,32,3,5}, {16,8,32,3,5} };
  uint32_t count = sizeof list / sizeof *list;
  if (!out) { *n = count; return VK_SUCCESS; }
  if (*n < count) count = *n;
  for (uint32_t i = 0; i < count; i++) {
    out[i].M = list[i][0]; out[i].N = list[i][1]; out[i].K = list[i][2];
    out[i].A = out[i].B = list[i][3]; out[i].C = out[i].R = list[i][4]; out[i].sat = 0; out[i].scope = 3;
  }
  *n = count;
  return VK_SUCCESS;
}
// Memory as a discrete GPU has it: type 0 on the device, type 1 on the host.
static void fix_memory(VkPhysicalDeviceMemoryProperties *m) {
  memset(m, 0, sizeof *m);
  m->memoryHeapCount = 2;
  m->memoryHeaps[0].size = 150754820096ull; m->memoryHeaps[0].flags = VK_MEMORY_HEAP_DEVICE_LOCAL_BIT;
  m->memoryHeaps[1].size = 101376786432ull;
  m->memoryTypeCount = 3;
  m->memoryTypes[0].heapIndex = 0; m->memoryTypes[0].propertyFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  m->memoryTypes[1].heapIndex = 1; m->memoryTypes[1].propertyFlags = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  m->memoryTypes[2].heapIndex = 1; m->memoryTypes[2].propertyFlags = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
}
static void VKAPI_CALL my_GetPhysicalDeviceMemoryProperties(VkPhysicalDevice d, VkPhysicalDeviceMemoryProperties *m) { (void)d; fix_memory(m); }
static void VKAPI_CALL my_GetPhysicalDeviceMemoryProperties2(VkPhysicalDevice d, VkPhysicalDeviceMemoryProperties2 *m) { (void)d; fix_memory(&m->memoryProperties); }

static struct { uint64_t dispatch, barrier, submit, copy, copy_bytes, fill, fill_bytes, bind_set, bind_pipe, pipelines, modules, alloc, alloc_bytes, push, update, barrier_extra; } c;
static void report_gpu(void);
static void report(const char *why) {
  fprintf(stderr, "fakenv %s: submits %lu dispatches %lu barriers %lu (odd %lu) sets %lu binds %lu push %lu copies %lu (%.1f MB) fills %lu (%.1f MB) pipelines %lu modules %lu allocs %lu (%.1f MB) updates %lu\n", why,
    c.submit, c.dispatch, c.barrier, c.barrier_extra, c.bind_set, c.bind_pipe, c.push, c.copy, c.copy_bytes / 1e6, c.fill, c.fill_bytes / 1e6, c.pipelines, c.modules, c.alloc, c.alloc_bytes / 1e6, c.update);
  report_gpu();
}

static VkDevice the_device;
#define DNEXT(name) static PFN_##name f; if (!f) f = (PFN_##name)NEXT(the_instance, vkGetDeviceProcAddr)(the_device, #name)

static VkShaderModule empty_module;
// void main() {} as a compute shader of one thread
static const uint32_t EMPTY[] = { 0x07230203, 0x00010300, 0, 6, 0,
  (2u<<16)|17, 1, (3u<<16)|14, 0, 1, (5u<<16)|15, 5, 1, 0x6e69616d, 0, (6u<<16)|16, 1, 17, 1, 1, 1,
  (2u<<16)|19, 2, (3u<<16)|33, 3, 2, (5u<<16)|54, 2, 1, 0, 3, (2u<<16)|248, 4, (1u<<16)|253, (1u<<16)|56 };

static VkResult VKAPI_CALL my_CreateDevice(VkPhysicalDevice pd, const VkDeviceCreateInfo *info, const VkAllocationCallbacks *a, VkDevice *out) {
  VkDeviceCreateInfo i = *info;
  const char **names = malloc(sizeof(char *) * (i.enabledExtensionCount + 1));
  uint32_t n = 0;
  for (uint32_t k = 0; k < i.enabledExtensionCount; k++) {
    if (say) fprintf(stderr, "fakenv ext %s\n", i.ppEnabledExtensionNames[k]);
    if (strcmp(i.ppEnabledExtensionNames[k], "VK_KHR_cooperative_matrix")) names[n++] = i.ppEnabledExtensionNames[k];
  }
  i.enabledExtensionCount = n; i.ppEnabledExtensionNames = names;
  VkBaseOutStructure *prev = (VkBaseOutStructure *)&i;
  for (VkBaseOutStructure *s = (void *)i.pNext; s; s = s->pNext) {
    if ((int)s->sType == ST_COOP_FEATURES) { if (say) { VkBool32 *b = (VkBool32 *)(s + 1); fprintf(stderr, "fakenv coop feature %d robust %d\n", b[0], b[1]); } prev->pNext = s->pNext; } else prev = s;
    if (say && s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT) { VkPhysicalDeviceRobustness2FeaturesEXT *q = (void *)s; fprintf(stderr, "fakenv robustBufferAccess2 %d\n", q->robustBufferAccess2); }
    if (say && s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2) fprintf(stderr, "fakenv robustBufferAccess %d\n", ((VkPhysicalDeviceFeatures2 *)s)->features.robustBufferAccess);
  }
  VkResult r = NEXT(the_instance, vkCreateDevice)(pd, &i, a, out);
  free(names);
  if (r == VK_SUCCESS) {
    the_device = *out;
    DNEXT(vkCreateShaderModule);
    VkShaderModuleCreateInfo m = { VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, NULL, 0, sizeof EMPTY, EMPTY };
    f(the_device, &m, NULL, &empty_module);
  }
  return r;
}
static void VKAPI_CALL my_DestroyDevice(VkDevice d, const VkAllocationCallbacks *a) { report("end"); DNEXT(vkDestroyDevice); (void)f; /* leave it */ }

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
// What is known of a shader module or a pipeline: the number of its SPIR-V, and whether the compiler falls over it.
enum { FINE, CRASHES, HANGS };
typedef struct { uint64_t handle; int id, fate; } Known;
typedef struct { Known *list; int count, room; } Table;
static Table modules, pipelines;
static void remember(Table *t, uint64_t handle, int id, int fate) {
  pthread_mutex_lock(&lock);
  int i = 0;
  while (i < t->count && t->list[i].handle != handle) i++; // a handle comes again when its object is gone
  if (i == t->room) t->list = realloc(t->list, (t->room = t->room ? 2 * t->room : 64) * sizeof *t->list);
  if (i == t->count) t->count++;
  t->list[i] = (Known){ handle, id, fate };
  pthread_mutex_unlock(&lock);
}
static Known recall(Table *t, uint64_t handle) {
  Known found = { handle, -1, FINE };
  pthread_mutex_lock(&lock);
  for (int i = 0; i < t->count; i++) if (t->list[i].handle == handle) found = t->list[i];
  pthread_mutex_unlock(&lock);
  return found;
}
// Writes SPIR-V to a file of its own, and says which number it has.
static int dump_code(const uint32_t *code, size_t bytes) {
  static int next;
  pthread_mutex_lock(&lock);
  int id = next++;
  pthread_mutex_unlock(&lock);
  if (!dump) return id;
  char path[512];
  snprintf(path, sizeof path, "%s/%d-%05d.spv", dump, (int)getpid(), id);
  FILE *f = fopen(path, "wb");
  if (f) { fwrite(code, 1, bytes, f); fclose(f); }
  return id;
}
// Whether code declares all capabilities of a list such as 6022,63 (cooperative matrices, subgroup arithmetic).
static int declares(const uint32_t *code, size_t bytes, const char *list) {
  if (!list || !*list) return 0;
  if (!strcmp(list, "1")) list = "6022,63";
  if (list[0] == 'c') list = "6022";
  for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    uint32_t wanted = (uint32_t)atoi(at), found = 0;
    for (size_t w = 5; w < bytes / 4 && !found; w += code[w] >> 16) {
      if ((code[w] & 0xffff) != 17 || code[w] >> 16 == 0) break; // capabilities come first
      found = code[w + 1] == wanted;
    }
    if (!found) return 0;
  }
  return 1;
}
static int fate_of(const uint32_t *code, size_t bytes) {
  return declares(code, bytes, getenv("FAKENV_CRASH")) ? CRASHES : declares(code, bytes, getenv("FAKENV_HANG")) ? HANGS : FINE;
}
static VkResult VKAPI_CALL my_CreateShaderModule(VkDevice d, const VkShaderModuleCreateInfo *i, const VkAllocationCallbacks *a, VkShaderModule *o) {
  c.modules++;
  int id = dump_code(i->pCode, i->codeSize);
  DNEXT(vkCreateShaderModule);
  VkShaderModuleCreateInfo m = { VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, NULL, 0, sizeof EMPTY, EMPTY };
  VkResult r = f(d, dry ? &m : i, a, o);
  if (r == VK_SUCCESS) remember(&modules, (uint64_t)*o, id, fate_of(i->pCode, i->codeSize));
  return r;
}
static VkResult VKAPI_CALL my_CreateComputePipelines(VkDevice d, VkPipelineCache cache, uint32_t n, const VkComputePipelineCreateInfo *info, const VkAllocationCallbacks *a, VkPipeline *o) {
  DNEXT(vkCreateComputePipelines);
  c.pipelines += n;
  VkComputePipelineCreateInfo *i = malloc(n * sizeof *i);
  Known *of = malloc(n * sizeof *of);
  memcpy(i, info, n * sizeof *i);
  for (uint32_t k = 0; k < n; k++) {
    of[k] = recall(&modules, (uint64_t)i[k].stage.module);
    for (const VkBaseInStructure *s = i[k].stage.pNext; s; s = s->pNext) {
      if (s->sType == VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO) {
        const VkShaderModuleCreateInfo *m = (const void *)s;
        of[k].id = dump_code(m->pCode, m->codeSize);
        of[k].fate = fate_of(m->pCode, m->codeSize);
      } else if (say) fprintf(stderr, "fakenv stage pNext %d flags %x\n", s->sType, i[k].stage.flags);
    }
    if (of[k].fate == CRASHES) { fprintf(stderr, "fakenv: the driver crashes here\n"); *(volatile int *)0 = 1; }
    if (of[k].fate == HANGS) { fprintf(stderr, "fakenv: the driver hangs here\n"); for (;;) pause(); }
    if (!dry) continue;
    i[k].stage.pNext = NULL; i[k].stage.flags = 0; i[k].stage.module = empty_module; i[k].stage.pName = "main"; i[k].stage.pSpecializationInfo = NULL; i[k].pNext = NULL;
  }
  VkResult r = f(d, cache, n, i, a, o);
  for (uint32_t k = 0; k < n && r == VK_SUCCESS; k++) remember(&pipelines, (uint64_t)o[k], of[k].id, FINE);
  free(i);
  free(of);
  return r;
}
static int bound = -1; // commands are recorded by one thread, one command buffer after the other
static void VKAPI_CALL my_CmdDispatch(VkCommandBuffer b, uint32_t x, uint32_t y, uint32_t z) { c.dispatch++; TRACE("dispatch %u %u %u module %d\n", x, y, z, bound); if (dry) return; DNEXT(vkCmdDispatch); f(b, x, y, z); }
static uint64_t before_barrier;
static void VKAPI_CALL my_CmdPipelineBarrier(VkCommandBuffer b, VkPipelineStageFlags s, VkPipelineStageFlags t, VkDependencyFlags df, uint32_t nm, const VkMemoryBarrier *m, uint32_t nb, const VkBufferMemoryBarrier *bb, uint32_t ni, const VkImageMemoryBarrier *im) {
  before_barrier = c.dispatch;
  c.barrier++;
  if (s != VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT || t != VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT) c.barrier_extra++;
  TRACE("barrier %x %x memory %x %x\n", s, t, nm ? m->srcAccessMask : 0, nm ? m->dstAccessMask : 0);
  DNEXT(vkCmdPipelineBarrier);
  f(b, s, t, df, nm, m, nb, bb, ni, im);
}
static void VKAPI_CALL my_CmdCopyBuffer(VkCommandBuffer b, VkBuffer s, VkBuffer t, uint32_t n, const VkBufferCopy *r) {
  c.copy++;
  uint64_t bytes = 0;
  for (uint32_t k = 0; k < n; k++) bytes += r[k].size;
  c.copy_bytes += bytes;
  TRACE("copy %lu\n", bytes);
  if (dry && bytes > 65536) return;
  DNEXT(vkCmdCopyBuffer); f(b, s, t, n, r);
}
static void VKAPI_CALL my_CmdFillBuffer(VkCommandBuffer b, VkBuffer t, VkDeviceSize at, VkDeviceSize size, uint32_t v) {
  c.fill++; c.fill_bytes += size == VK_WHOLE_SIZE ? 0 : size;
  TRACE("fill %lu\n", size);
  if (dry && size > 65536) return;
  DNEXT(vkCmdFillBuffer); f(b, t, at, size, v);
}
// Timestamps. With FAKENV_US they are of the pretended clock, as commands are recorded in the order in which they run: a
// stamp at the top of the pipe is of the moment at which the commands before it have been read, that is when all is done
// that came before the last barrier; any other is of the moment at which all that came before it is done.
typedef struct { VkQueryPool pool; uint32_t at; uint64_t ns; } Stamp;
static Stamp *stamps;
static int n_stamps, room_stamps;
static double us_of_launch(void) { static double us = -1; if (us < 0) us = getenv("FAKENV_US") ? atof(getenv("FAKENV_US")) : 0; return us; }
static void VKAPI_CALL my_CmdWriteTimestamp(VkCommandBuffer b, VkPipelineStageFlagBits st, VkQueryPool q, uint32_t at) {
  static int n;
  if (getenv("FAKENV_STAMPS") && n++ < 12) fprintf(stderr, "stamp %u at stage %x after %lu dispatches, %lu barriers\n", at, st, c.dispatch, c.barrier);
  if (us_of_launch() > 0) {
    uint64_t done = st == VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT ? before_barrier : c.dispatch;
    int i = 0;
    while (i < n_stamps && (stamps[i].pool != q || stamps[i].at != at)) i++;
    if (i == room_stamps) stamps = realloc(stamps, (room_stamps = room_stamps ? 2 * room_stamps : 256) * sizeof *stamps);
    if (i == n_stamps) n_stamps++;
    stamps[i] = (Stamp){ q, at, (uint64_t)(done * us_of_launch() * 1000) };
  }
  DNEXT(vkCmdWriteTimestamp);
  f(b, st, q, at);
}
static void VKAPI_CALL my_CmdCopyQueryPoolResults(VkCommandBuffer b, VkQueryPool q, uint32_t first, uint32_t n, VkBuffer t, VkDeviceSize offset, VkDeviceSize stride, VkQueryResultFlags flags) {
  if (us_of_launch() == 0) { DNEXT(vkCmdCopyQueryPoolResults); f(b, q, first, n, t, offset, stride, flags); return; }
  DNEXT(vkCmdUpdateBuffer);
  for (int i = 0; i < n_stamps; i++)
    if (stamps[i].pool == q && stamps[i].at >= first && stamps[i].at < first + n) f(b, t, offset + (stamps[i].at - first) * stride, 8, &stamps[i].ns);
}
static void VKAPI_CALL my_CmdBindPipeline(VkCommandBuffer b, VkPipelineBindPoint p, VkPipeline q) { c.bind_pipe++; bound = recall(&pipelines, (uint64_t)q).id; TRACE("pipeline %d\n", bound); DNEXT(vkCmdBindPipeline); f(b, p, q); }
static void VKAPI_CALL my_CmdBindDescriptorSets(VkCommandBuffer b, VkPipelineBindPoint p, VkPipelineLayout l, uint32_t first, uint32_t n, const VkDescriptorSet *s, uint32_t nd, const uint32_t *dd) { c.bind_set++; TRACE("sets %u\n", n); DNEXT(vkCmdBindDescriptorSets); f(b, p, l, first, n, s, nd, dd); }
static void VKAPI_CALL my_CmdPushConstants(VkCommandBuffer b, VkPipelineLayout l, VkShaderStageFlags s, uint32_t o, uint32_t n, const void *p) { c.push++; DNEXT(vkCmdPushConstants); f(b, l, s, o, n, p); }
static void VKAPI_CALL my_UpdateDescriptorSets(VkDevice d, uint32_t n, const VkWriteDescriptorSet *w, uint32_t m, const VkCopyDescriptorSet *cp) { c.update += n; DNEXT(vkUpdateDescriptorSets); f(d, n, w, m, cp); }
// A clock of the pretended GPU: each dispatch takes FAKENV_US microseconds, one after the other.
static double us_each = -1, gpu_end;
static struct { VkFence fence; double end; } fences[4096];
static int n_fences;
static double now_us(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e6 + t.tv_nsec / 1e3; }
static double end_of(VkFence f) { double r = 0; pthread_mutex_lock(&lock); for (int i = 0; i < n_fences; i++) if (fences[i].fence == f) { r = fences[i].end; break; } pthread_mutex_unlock(&lock); return r; }
static void set_end(VkFence f, double end) { pthread_mutex_lock(&lock); int i = 0; for (; i < n_fences; i++) if (fences[i].fence == f) break; if (i == n_fences && n_fences < 4096) n_fences++; if (i < 4096) { fences[i].fence = f; fences[i].end = end; } pthread_mutex_unlock(&lock); }
static uint64_t n_status, dispatched_before; static double idle_us, busy_us;
static VkResult VKAPI_CALL my_GetFenceStatus(VkDevice d, VkFence fence) { n_status++; if (now_us() < end_of(fence)) return VK_NOT_READY; DNEXT(vkGetFenceStatus); return f(d, fence); }
static VkResult VKAPI_CALL my_WaitForFences(VkDevice d, uint32_t n, const VkFence *fs, VkBool32 all, uint64_t timeout) {
  double limit = now_us() + timeout / 1e3;
  for (uint32_t k = 0; k < n; k++) { double end = end_of(fs[k]); while (now_us() < end) { if (now_us() >= limit) return VK_TIMEOUT; struct timespec t = { 0, 20000 }; nanosleep(&t, NULL); } }
  DNEXT(vkWaitForFences); return f(d, n, fs, all, timeout);
}
static VkResult VKAPI_CALL my_QueueSubmit(VkQueue q, uint32_t n, const VkSubmitInfo *s, VkFence fence) {
  c.submit++;
  TRACE("submit %lu\n", c.submit);
  if (tracing) fflush(tracing); // a crash must not take the lines along
  static int every = -1;
  if (every < 0) every = getenv("FAKENV_EVERY") ? atoi(getenv("FAKENV_EVERY")) : 0;
  if (every && c.submit % every == 0) report("so far");
  if (us_each < 0) us_each = getenv("FAKENV_US") ? atof(getenv("FAKENV_US")) : 0;
  double now = now_us(), cost = us_each * (c.dispatch - dispatched_before);
  dispatched_before = c.dispatch;
  if (cost > 0 && gpu_end > 0 && now > gpu_end && now - gpu_end < 1e6) idle_us += now - gpu_end;
  busy_us += cost;
  if (cost > 0) gpu_end = (now > gpu_end ? now : gpu_end) + cost;
  if (fence) set_end(fence, gpu_end);
  DNEXT(vkQueueSubmit);
  return f(q, n, s, fence);
}
static void report_gpu(void) { if (us_each > 0) fprintf(stderr, "fakenv gpu: busy %.1f ms, idle between steps %.1f ms, fence looks %lu\n", busy_us / 1e3, idle_us / 1e3, n_status); }
static VkResult VKAPI_CALL my_AllocateMemory(VkDevice d, const VkMemoryAllocateInfo *i, const VkAllocationCallbacks *a, VkDeviceMemory *m) {
  c.alloc++; c.alloc_bytes += i->allocationSize;
  VkMemoryAllocateInfo j = *i; j.memoryTypeIndex = 0; DNEXT(vkAllocateMemory); return f(d, &j, a, m);
}
static void VKAPI_CALL my_GetBufferMemoryRequirements(VkDevice d, VkBuffer b, VkMemoryRequirements *r) { DNEXT(vkGetBufferMemoryRequirements); f(d, b, r); r->memoryTypeBits = 7; r->alignment = r->alignment < 16 ? 16 : r->alignment; }
static void VKAPI_CALL my_GetBufferMemoryRequirements2(VkDevice d, const VkBufferMemoryRequirementsInfo2 *b, VkMemoryRequirements2 *r) { DNEXT(vkGetBufferMemoryRequirements2); f(d, b, r); r->memoryRequirements.memoryTypeBits = 7; }
static void VKAPI_CALL my_GetImageMemoryRequirements(VkDevice d, VkImage b, VkMemoryRequirements *r) { DNEXT(vkGetImageMemoryRequirements); f(d, b, r); r->memoryTypeBits = 7; }

static PFN_vkVoidFunction VKAPI_CALL my_GetDeviceProcAddr(VkDevice d, const char *name);
static const struct { const char *name; void *f; } mine[] = {
  { "vkCreateInstance", my_CreateInstance }, { "vkGetPhysicalDeviceProperties", my_GetPhysicalDeviceProperties },
  { "vkGetPhysicalDeviceProperties2", my_GetPhysicalDeviceProperties2 }, { "vkGetPhysicalDeviceProperties2KHR", my_GetPhysicalDeviceProperties2 },
  { "vkGetPhysicalDeviceFeatures2", my_GetPhysicalDeviceFeatures2 }, { "vkGetPhysicalDeviceFeatures2KHR", my_GetPhysicalDeviceFeatures2 },
  { "vkEnumerateDeviceExtensionProperties", my_EnumerateDeviceExtensionProperties },
  { "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR", my_CoopProps },
  { "vkGetPhysicalDeviceMemoryProperties", my_GetPhysicalDeviceMemoryProperties }, { "vkGetPhysicalDeviceMemoryProperties2", my_GetPhysicalDeviceMemoryProperties2 }, { "vkGetPhysicalDeviceMemoryProperties2KHR", my_GetPhysicalDeviceMemoryProperties2 },
  { "vkCreateDevice", my_CreateDevice }, { "vkDestroyDevice", my_DestroyDevice }, { "vkCreateShaderModule", my_CreateShaderModule }, { "vkCreateComputePipelines", my_CreateComputePipelines },
  { "vkCmdDispatch", my_CmdDispatch }, { "vkCmdPipelineBarrier", my_CmdPipelineBarrier }, { "vkCmdCopyBuffer", my_CmdCopyBuffer }, { "vkCmdFillBuffer", my_CmdFillBuffer },
  { "vkCmdBindPipeline", my_CmdBindPipeline }, { "vkCmdWriteTimestamp", my_CmdWriteTimestamp }, { "vkCmdCopyQueryPoolResults", my_CmdCopyQueryPoolResults }, { "vkCmdBindDescriptorSets", my_CmdBindDescriptorSets }, { "vkCmdPushConstants", my_CmdPushConstants }, { "vkUpdateDescriptorSets", my_UpdateDescriptorSets }, { "vkQueueSubmit", my_QueueSubmit }, { "vkGetFenceStatus", my_GetFenceStatus }, { "vkWaitForFences", my_WaitForFences },
  { "vkAllocateMemory", my_AllocateMemory }, { "vkGetBufferMemoryRequirements", my_GetBufferMemoryRequirements }, { "vkGetBufferMemoryRequirements2", my_GetBufferMemoryRequirements2 }, { "vkGetBufferMemoryRequirements2KHR", my_GetBufferMemoryRequirements2 }, { "vkGetImageMemoryRequirements", my_GetImageMemoryRequirements },
  { "vkGetDeviceProcAddr", my_GetDeviceProcAddr },
};
static void *find(const char *name) { for (size_t i = 0; i < sizeof mine / sizeof *mine; i++) if (!strcmp(mine[i].name, name)) return mine[i].f; return NULL; }
static PFN_vkVoidFunction VKAPI_CALL my_GetDeviceProcAddr(VkDevice d, const char *name) {
  void *f = find(name);
  return f ? (PFN_vkVoidFunction)f : NEXT(the_instance, vkGetDeviceProcAddr)(d, name);
}
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(VkInstance i, const char *name) {
  if (!load()) return NULL;
  void *f = find(name);
  return f ? (PFN_vkVoidFunction)f : next_gipa(i, name);
}
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetPhysicalDeviceProcAddr(VkInstance i, const char *name) {
  if (!load()) return NULL;
  void *f = find(name);
  if (f && strncmp(name, "vkGetPhysicalDevice", 19) == 0) return (PFN_vkVoidFunction)f;
  if (f && !strcmp(name, "vkEnumerateDeviceExtensionProperties")) return (PFN_vkVoidFunction)f;
  return next_pdpa ? next_pdpa(i, name) : NULL;
}
