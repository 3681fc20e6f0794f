package io.peftj.djl.contract;

import static io.peftj.djl.contract.TestBackends.ENGINE;
import static io.peftj.djl.contract.TestBackends.EXACT;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.tensor.DType;
import io.peftj.testkit.contract.AdapterMethodContract;
import io.peftj.testkit.contract.ContractModel;
import io.peftj.testkit.contract.TestedConfig;
import java.util.List;

/** The contract on tiny models of each family, on both backends. */
abstract class BackboneContract extends AdapterMethodContract {
    /** Seen by this package's other tests, which try all methods. */
    @Override
    protected abstract List<TestedConfig> configs(BackboneSpec spec);

    @Override
    protected List<ContractModel> openModels() {
        return List.of(
                TinyBackbones.llama(EXACT, DType.F32),
                TinyBackbones.tiedLlama(EXACT, DType.F32),
                TinyBackbones.qwen2(EXACT, DType.F32),
                TinyBackbones.qwen3(EXACT, DType.F32),
                TinyBackbones.gpt2(EXACT, DType.F32),
                TinyBackbones.bert(EXACT, DType.F32),
                TinyBackbones.roberta(EXACT, DType.F32),
                TinyBackbones.llama(ENGINE, DType.F32),
                TinyBackbones.mistral(ENGINE, DType.F32),
                TinyBackbones.qwen2(ENGINE, DType.F32),
                TinyBackbones.qwen3(ENGINE, DType.F32),
                TinyBackbones.gpt2(ENGINE, DType.F32),
                TinyBackbones.bert(ENGINE, DType.F32),
                TinyBackbones.roberta(ENGINE, DType.F32),
                TinyBackbones.llama(ENGINE, DType.BF16),
                TinyBackbones.gpt2(ENGINE, DType.BF16),
                TinyBackbones.bert(ENGINE, DType.BF16));
    }

    /** What the tiny models are for: a decoder for text, an encoder for classes. */
    static TaskType task(BackboneSpec spec) {
        return spec.decoder() ? TaskType.CAUSAL_LM : TaskType.SEQ_CLS;
    }
}
