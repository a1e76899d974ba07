package org.hirengine.engine.update;

import org.hirengine.engine.config.OptimSection;

/**
 * Learning rate by update: a linear rise over the warm-up, then the schedule down to its final
 * fraction.
 *
 * @param updates updates of the whole run, which linear and cosine schedules stretch over
 */
record LearningRate(OptimSection config, long updates) {

  /** The rate of an update, counted from 1. After the last update it stays at the final value. */
  double at(long update) {
    if (update <= config.warmup()) {
      return config.lr() * update / config.warmup();
    }
    // The first update after the warm-up has the full rate, the last one the final fraction.
    double span = Math.max(1, updates - config.warmup() - 1);
    double progress = Math.min(1, (update - config.warmup() - 1) / span);
    double fraction =
        switch (config.schedule()) {
          case CONSTANT -> 1;
          case LINEAR -> 1 - progress * (1 - config.finalFraction());
          case COSINE ->
              config.finalFraction()
                  + (1 - config.finalFraction()) * 0.5 * (1 + Math.cos(Math.PI * progress));
        };
    return config.lr() * fraction;
  }
}
