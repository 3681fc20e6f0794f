package io.peftj.core.adapter;

import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;

/** What a method may ask of its surroundings to derive effective parameters. */
public interface DeriveContext extends BaseValues {
    /** A frozen matrix [out, in] of the base model, by its parameter's name. */
    Weight weight(String parameter);

    /**
     * A value made of parameters that gradients take for a constant.
     *
     * @param name tells apart what one plan holds; checks by finite differences hold the value where it was at first
     */
    Tensor constant(String name, Tensor value);
}
