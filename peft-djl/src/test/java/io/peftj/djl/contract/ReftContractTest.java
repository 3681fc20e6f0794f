package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.methods.reft.ReftConfig;
import io.peftj.methods.reft.ReftVariant;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

class ReftContractTest extends BackboneContract {
    @Override
    protected List<TestedConfig> configs(BackboneSpec spec) {
        ReftConfig usual = ReftConfig.builder().rank(3).taskType(task(spec)).build();
        return List.of(
                reft("LoReFT", usual),
                reft(
                        "parameters of their own for first and last positions, dropout",
                        usual.toBuilder()
                                .rank(2)
                                .layers(List.of(0))
                                .positions(1, 2)
                                .shareWeights(false)
                                .dropout(0.25)
                                .build()),
                reft(
                        "DiReFT",
                        usual.toBuilder().variant(ReftVariant.DIREFT).rank(4).build()),
                reft(
                        "NoReFT counting as pyreft does",
                        usual.toBuilder()
                                .variant(ReftVariant.NOREFT)
                                .lengthOffset(-1)
                                .build()),
                reft(
                        "ConsReFT",
                        usual.toBuilder()
                                .variant(ReftVariant.CONSREFT)
                                .positions(2, 2)
                                .build()),
                reft(
                        "LobiReFT at first positions",
                        usual.toBuilder()
                                .variant(ReftVariant.LOBIREFT)
                                .positions(1, 0)
                                .build()));
    }

    private static TestedConfig reft(String name, ReftConfig config) {
        return TestedConfig.of(name, config).startingElsewhere().unmergeable();
    }
}
