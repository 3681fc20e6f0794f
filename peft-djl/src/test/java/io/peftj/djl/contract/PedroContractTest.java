package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.methods.pedro.PedroActivation.Fixed;
import io.peftj.methods.pedro.PedroActivation.Rational;
import io.peftj.methods.pedro.PedroConfig;
import io.peftj.methods.pedro.PedroTarget;
import io.peftj.methods.pedro.PromptPooling;
import io.peftj.methods.pedro.RationalStart;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class PedroContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        PedroConfig usual = PedroConfig.builder().rank(3).taskType(task(spec)).build();
        return List.of(
                pedro("the last token", usual),
                pedro(
                        "the first token, of degrees 6 and 5",
                        usual.toBuilder()
                                .pooling(PromptPooling.FIRST)
                                .activation(new Rational(6, 5, RationalStart.MISH))
                                .build()),
                pedro(
                        "the mean, SiLU",
                        usual.toBuilder()
                                .rank(2)
                                .pooling(PromptPooling.MEAN)
                                .activation(Fixed.SILU)
                                .targets(List.of(PedroTarget.QUERY, PedroTarget.UP))
                                .build()),
                pedro(
                        "the maximum, Mish",
                        usual.toBuilder()
                                .pooling(PromptPooling.MAX)
                                .activation(Fixed.MISH)
                                .targets(List.of(PedroTarget.VALUE))
                                .build()),
                pedro(
                        "attention",
                        usual.toBuilder()
                                .rank(4)
                                .pooling(PromptPooling.ATTENTION)
                                .build()),
                pedro(
                        "from ReLU",
                        usual.toBuilder()
                                .activation(new Rational(5, 4, RationalStart.RELU))
                                .build()),
                pedro(
                        "attention without a norm, linear",
                        usual.toBuilder()
                                .pooling(PromptPooling.ATTENTION)
                                .poolNorm(false)
                                .activation(Fixed.IDENTITY)
                                .build()));
    }

    private static TestedConfig pedro(String name, PedroConfig config) {
        return TestedConfig.of(name, config).unmergeable();
    }
}
