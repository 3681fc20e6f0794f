package io.peftj.core.adapter;

import io.peftj.core.tensor.Shape;

/**
 * A named parameter and its shape.
 *
 * @param name its name in the file it lives in
 * @param shape its sizes
 */
public record ParameterSpec(String name, Shape shape) {}
