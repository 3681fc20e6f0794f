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

    /** The square root of the sum of squares of all elements of all tensors. */
    double norm(List<Tensor> tensors);
}
