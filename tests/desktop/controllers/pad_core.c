/* A libretro core without a game: it writes how its first pad stands into the file PAD_LOG, a line whenever that changes.
   Numbers and signatures are those of libretro's API, version 1 (libretro.h). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOYPAD = 1, ANALOG = 5, SUPPORT_NO_GAME = 18, WIDTH = 64, HEIGHT = 48 };

struct system_info { const char *name, *version, *extensions; bool need_fullpath, block_extract; };
struct geometry { unsigned base_width, base_height, max_width, max_height; float aspect_ratio; };
struct timing { double fps, sample_rate; };
struct av_info { struct geometry geometry; struct timing timing; };

static bool (*environment)(unsigned, void *);
static void (*video)(const void *, unsigned, unsigned, size_t);
static void (*poll)(void);
static int16_t (*state)(unsigned, unsigned, unsigned, unsigned);
static FILE *log_file;
static uint16_t picture[WIDTH * HEIGHT];
static int16_t last[5] = {-1};

void retro_set_environment(bool (*f)(unsigned, void *)) {
   bool yes = true;
   environment = f;
   environment(SUPPORT_NO_GAME, &yes);
}
void retro_set_video_refresh(void (*f)(const void *, unsigned, unsigned, size_t)) { video = f; }
void retro_set_input_poll(void (*f)(void)) { poll = f; }
void retro_set_input_state(int16_t (*f)(unsigned, unsigned, unsigned, unsigned)) { state = f; }
void retro_set_audio_sample(void *f) { (void)f; }
void retro_set_audio_sample_batch(void *f) { (void)f; }
void retro_set_controller_port_device(unsigned port, unsigned device) { (void)port; (void)device; }

unsigned retro_api_version(void) { return 1; }
void retro_get_system_info(struct system_info *info) {
   struct system_info mine = {"pad", "1", "", false, false};
   *info = mine;
}
void retro_get_system_av_info(struct av_info *info) {
   struct av_info mine = {{WIDTH, HEIGHT, WIDTH, HEIGHT, 0}, {60.0, 44100.0}};
   *info = mine;
}

void retro_init(void) { log_file = fopen(getenv("PAD_LOG"), "w"); }
void retro_deinit(void) { if (log_file) fclose(log_file); }
bool retro_load_game(const void *game) { (void)game; return log_file != NULL; }
bool retro_load_game_special(unsigned type, const void *games, size_t count) { (void)type; (void)games; (void)count; return false; }
void retro_unload_game(void) {}
void retro_reset(void) {}

void retro_run(void) {
   int16_t now[5] = {0};
   poll();
   for (unsigned id = 0; id < 16; id++)
      now[0] |= (int16_t)((state(0, JOYPAD, 0, id) != 0) << id);
   for (unsigned axis = 0; axis < 4; axis++)
      now[1 + axis] = state(0, ANALOG, axis / 2, axis % 2);
   if (memcmp(now, last, sizeof now)) {
      fprintf(log_file, "%u %d %d %d %d\n", (uint16_t)now[0], now[1], now[2], now[3], now[4]);
      fflush(log_file);
      memcpy(last, now, sizeof now);
   }
   video(picture, WIDTH, HEIGHT, WIDTH * sizeof *picture);
}

size_t retro_serialize_size(void) { return 0; }
bool retro_serialize(void *data, size_t size) { (void)data; (void)size; return false; }
bool retro_unserialize(const void *data, size_t size) { (void)data; (void)size; return false; }
void retro_cheat_reset(void) {}
void retro_cheat_set(unsigned index, bool enabled, const char *code) { (void)index; (void)enabled; (void)code; }
unsigned retro_get_region(void) { return 0; }
void *retro_get_memory_data(unsigned id) { (void)id; return NULL; }
size_t retro_get_memory_size(unsigned id) { (void)id; return 0; }
