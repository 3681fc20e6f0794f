package io.peftj.core.tensor;

import java.util.List;

/** What writes in place, outside {@link Tensor}: nothing here is differentiated. */
public interface Updates {
    /** One parameter with its optimiser state, all of one shape, f32 at least. */
    record Moments(Constant parameter, Constant first, Constant second) {}

    /** The settings of one step of AdamW for one parameter. */
    record AdamW(double learningRate, double beta1, double beta2, double eps, double weightDecay) {}

    /**
     * One step of AdamW (Loshchilov and Hutter, arXiv 1711.05101) as PyTorch computes it.
     *
     * @param parameters what changes
     * @param gradients a gradient each, of the parameter's shape
     * @param settings a setting each
     * @param step the number of this step, from 1
     */
    void adamW(List<Moments> parameters, List<Tensor> gradients, List<AdamW> settings, long step);

    /**
     * Writes the keys and values of tokens into a layer of a {@link KeyValueCache}, which has checked them.
     *
     * @param keys the layer's keys [slots, kv heads, capacity, head dim]
     * @param values its values, likewise
     * @param k [tokens, kv heads, head dim]
     * @param v like k
     * @param rows each token's slot and its place there
     */
    void store(Constant keys, Constant values, Tensor k, Tensor v, CacheLayout rows);

    /** The square root of the sum of squares of all elements of all tensors. */
    double norm(List<Tensor> tensors);
}
