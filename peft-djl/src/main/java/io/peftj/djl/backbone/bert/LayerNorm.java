package io.peftj.djl.backbone.bert;

import io.peftj.core.run.Run;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.Weights;

/** A layer norm under its module's name. */
record LayerNorm(String name, Constant weight, Constant bias, double eps) {
    static LayerNorm load(String name, BertConfig config, Weights weights) {
        return new LayerNorm(
                name,
                weights.vector(name + ".weight", config.width()),
                weights.vector(name + ".bias", config.width()),
                config.eps());
    }

    Tensor apply(Run run, Tensor x) {
        return run.layerNorm(
                name,
                x,
                run.session().tensor(weight),
                run.session().tensor(bias),
                eps,
                run.batch().tokens());
    }
}
