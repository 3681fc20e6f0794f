package io.peftj.methods.head;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution.Substitute;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HeadMethodTest {
    private final HeadMethod method = new HeadMethod();

    @Test
    void theHeadAloneIsTrained() {
        AdapterPlan plan = method.plan(TinyModels.bert(), HeadConfig.of(TaskType.SEQ_CLS));

        assertThat(plan.stored())
                .containsExactly(
                        new ParameterSpec("base_model.model.classifier.weight", Shape.of(2, 8)),
                        new ParameterSpec("base_model.model.classifier.bias", Shape.of(2)));
        assertThat(plan.contributions())
                .containsExactly(
                        new Substitute("classifier.weight", "base_model.model.classifier.weight"),
                        new Substitute("classifier.bias", "base_model.model.classifier.bias"));
    }

    @Test
    void itStartsFromTheBasesHeadOrLikeALinearLayer() {
        AdapterPlan plan = method.plan(TinyModels.bert(), HeadConfig.of(TaskType.SEQ_CLS));
        HostTensor own = HostTensor.filled(Shape.of(2, 8), 3);
        TestContext context = new TestContext(Map.of("classifier.weight", own));

        Map<String, HostTensor> values = plan.initialise(context);

        assertThat(values.get("base_model.model.classifier.weight")).isSameAs(own);
        assertThat(values.get("base_model.model.classifier.bias").values())
                .hasSize(2)
                .doesNotContain(0);
    }

    @Test
    void modelsWithoutAHeadAreRefused() {
        assertThatThrownBy(() -> method.plan(TinyModels.llama(1), HeadConfig.of(TaskType.SEQ_CLS)))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage(
                        "HEAD trains a task's head, but LlamaForCausalLM with task type SEQ_CLS and modules_to_save []"
                                + " has none; give the task type SEQ_CLS and a model with a classification head, or name modules");
    }

    @Test
    void theTaskCanBeFilledInLater() {
        assertThat(HeadConfig.ofTask().withTaskType(TaskType.SEQ_CLS)).isEqualTo(HeadConfig.of(TaskType.SEQ_CLS));
    }

    @Test
    void otherModulesCanBeNamed() {
        HeadConfig config = new HeadConfig(List.of("lm_head"), TaskType.CAUSAL_LM);

        assertThat(method.plan(TinyModels.llama(1), config).stored())
                .containsExactly(new ParameterSpec("base_model.model.lm_head.weight", Shape.of(16, 8)));
        assertThat(method.read(method.write(config))).isEqualTo(config);
        assertThat(method.keys()).containsAll(method.write(config).keySet());
    }
}
