package io.peftj.djl.engine;

import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Shape;
import io.peftj.djl.engine.TorchCalls.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Norms, activations and their gates, rotary embedding, losses. */
final class FusedKernels {
    private final TorchCalls calls;
    private final KernelChoice choice;

    FusedKernels(TorchCalls calls, KernelChoice choice) {
        this.calls = calls;
        this.choice = choice;
    }

    Buffer activation(Activation activation, TorchBuffer x) {
        return calls.alike(name(activation), x.form(), x);
    }

    Buffer activationBackward(Activation activation, Buffer g, TorchBuffer x) {
        return calls.alike(name(activation) + "_backward", x.form(), g, x);
    }

    Buffer gatedActivation(Activation activation, TorchBuffer gate, Buffer up) {
        return calls.alike("gated_" + name(activation), gate.form(), gate, up);
    }

    /** Views of one tensor in which they follow each other, like the parts of a fused projection. */
    Buffer[] gatedActivationBackward(Activation activation, Buffer g, TorchBuffer gate, Buffer up) {
        int width = gate.dim(-1);
        Form form = gate.form().withDim(-1, 2 * width);
        long[] strides = Strides.contiguous(form.shape());
        TorchBuffer[] results = calls.parts(
                "gated_" + name(activation) + "_backward",
                List.of(Part.own(form), new Part(gate.form(), strides, 0, 0), new Part(gate.form(), strides, 0, width)),
                g,
                gate,
                up);
        results[0].release(); // its views keep it
        return new Buffer[] {results[1], results[2]};
    }

    Buffer[] rmsNorm(TorchBuffer x, @Nullable Buffer weight, double eps) {
        return calls.several("rms_norm", List.of(x.form(), statistic(x)), x, weight, eps);
    }

    Buffer rmsNormBackward(Buffer g, TorchBuffer x, @Nullable Buffer weight, Buffer inverseRms) {
        return calls.one("rms_norm_backward", x.form(), g, x, weight, inverseRms);
    }

    Buffer[] layerNorm(TorchBuffer x, @Nullable Buffer weight, @Nullable Buffer bias, double eps) {
        List<Form> forms = List.of(x.form(), statistic(x), statistic(x));
        return calls.several("layer_norm", forms, x, weight, bias, eps);
    }

    Buffer layerNormBackward(Buffer g, TorchBuffer x, @Nullable Buffer weight, Buffer mean, Buffer inverseDeviation) {
        return calls.one("layer_norm_backward", x.form(), g, x, weight, mean, inverseDeviation);
    }

    Buffer rotary(TorchBuffer x, Buffer cos, Buffer sin, boolean inverse) {
        return calls.one("rotary", x.form(), x, cos, sin, inverse ? -1.0 : 1.0);
    }

    Buffer[] crossEntropy(
            TorchBuffer logits, Index labels, TorchBuffer weights, double smoothing, @Nullable Buffer classWeights) {
        return calls.several("cross_entropy", lossForms(weights), logits, labels, weights, smoothing, classWeights);
    }

    Buffer crossEntropyBackward(
            Buffer g,
            TorchBuffer logits,
            Index labels,
            Buffer weights,
            double smoothing,
            @Nullable Buffer classWeights) {
        return calls.one("cross_entropy_backward", logits.form(), g, logits, labels, weights, smoothing, classWeights);
    }

    Buffer[] linearCrossEntropy(
            TorchBuffer x,
            TorchWeight weight,
            Index labels,
            TorchBuffer weights,
            double smoothing,
            boolean wantGradient) {
        List<Form> forms = new ArrayList<>(lossForms(weights));
        if (wantGradient) {
            forms.add(x.form());
        }
        int chunk = choice.lossChunk(weight.outFeatures());
        return calls.several(
                "linear_cross_entropy",
                forms,
                x,
                weight.matrix(),
                labels,
                weights,
                smoothing,
                wantGradient,
                chunk,
                choice.fastWeight(x.type(), Math.min(chunk, x.dim(0))));
    }

    private static List<Form> lossForms(TorchBuffer weights) {
        return List.of(weights.form().withShape(Shape.SCALAR), weights.form());
    }

    private static Form statistic(TorchBuffer x) {
        return new Form(x.form().shape().with(-1, 1), x.type().wide());
    }

    private static String name(Activation activation) {
        return activation.name().toLowerCase(Locale.ROOT);
    }
}
