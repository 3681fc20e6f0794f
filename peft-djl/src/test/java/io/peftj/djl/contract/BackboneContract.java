package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.testkit.contract.AdapterMethodContract;
import io.peftj.testkit.contract.ContractModel;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.List;

/** The contract on tiny models of each family. */
abstract class BackboneContract extends AdapterMethodContract {
    @Override
    protected List<ContractModel> openModels() {
        Backend exact = ReferenceBackend.exact();
        return List.of(
                TinyBackbones.llama(exact, DType.F32, true),
                TinyBackbones.tiedLlama(exact, DType.F32, true),
                TinyBackbones.bert(exact, DType.F32, true));
    }

    /** What the tiny models are for: a decoder for text, an encoder for classes. */
    static TaskType task(BackboneSpec spec) {
        return spec.decoder() ? TaskType.CAUSAL_LM : TaskType.SEQ_CLS;
    }
}
