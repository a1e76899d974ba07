/**
 * The study of sample efficiency: a grid of method, setting and seed, one training run each, and
 * their results as tables and plots.
 */
@org.jspecify.annotations.NullMarked
package org.hirengine.benchmarks.study;
