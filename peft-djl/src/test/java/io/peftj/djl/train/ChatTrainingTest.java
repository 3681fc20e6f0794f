package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.chat.ChatTemplate;
import io.peftj.djl.chat.Message;
import io.peftj.djl.serve.Generator;
import io.peftj.methods.lora.LoraConfig;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChatTrainingTest extends TinyTraining {
    private static final LoraConfig LORA = LoraConfig.builder().rank(8).build();

    /** Users speak after "one", the assistant after "two", and its turns end. */
    private static final ChatTemplate TURNS = ChatTemplate.of(
            "turns",
            "{% for m in messages %}{% if m.role == 'user' %}one {{ m.content }} {% else %}two {{ m.content }} </s> and {%"
                    + " endif %}{% endfor %}{% if add_generation_prompt %}two {% endif %}",
            Map.of());

    /** Writes "three" before the assistant's last turn alone, as some write what a model thought. */
    private static final ChatTemplate THOUGHTS = ChatTemplate.of(
            "thoughts",
            "{% for m in messages %}{% if m.role == 'user' %}one {{ m.content }} {% else %}two {% if loop.last %}three {%"
                    + " endif %}{{ m.content }} </s> {% endif %}{% endfor %}{% if add_generation_prompt %}two {% endif"
                    + " %}",
            Map.of());

    private static final Conversation TWO_TURNS = Conversation.of(
            Message.user("the book"), Message.assistant("is red"), Message.user("a song"), Message.assistant("good"));

    @Test
    void theAssistantsTurnsAreLearntToTheirEnds() {
        try (Backbone base = llama()) {
            List<Example> examples = examples(base, Tasks.chat().template(TURNS), TWO_TURNS);
            assertThat(examples).hasSize(1);
            assertThat(ids(examples.get(0)))
                    .isEqualTo(base.tokenizer()
                            .encodePlain("one the book two is red </s> and one a song two good </s> and"));
            assertThat(learnt(base, examples.get(0))).isEqualTo("is red </s> good </s>");
            assertThat(examples.get(0).learnt()).isEqualTo(5);
            assertThat(examples.get(0).answer()).isEqualTo(4);
        }
    }

    @Test
    void aTemplateThatChangesEarlierTurnsMakesARowATurn() {
        try (Backbone base = llama()) {
            List<Example> examples = examples(base, Tasks.chat().template(THOUGHTS), TWO_TURNS);
            assertThat(examples).hasSize(2);
            assertThat(ids(examples.get(0)))
                    .isEqualTo(base.tokenizer().encodePlain("one the book two three is red </s>"));
            assertThat(learnt(base, examples.get(0))).isEqualTo("three is red </s>");
            assertThat(ids(examples.get(1)))
                    .isEqualTo(base.tokenizer()
                            .encodePlain("one the book two is red </s> one a song two three good </s>"));
            assertThat(learnt(base, examples.get(1))).isEqualTo("three good </s>");
        }
    }

    /** Such a method sees all of the prompt at once, so a later turn's prompt holds the earlier answer. */
    @Test
    void aMethodThatReadsTheWholePromptGetsARowATurn() {
        try (Backbone base = llama()) {
            AdapterPlan plan = plan(base);
            AdapterPlan reads = (AdapterPlan) Proxy.newProxyInstance(
                    AdapterPlan.class.getClassLoader(),
                    new Class<?>[] {AdapterPlan.class},
                    (proxy, method, arguments) ->
                            method.getName().equals("readsWholePrompt") ? true : method.invoke(plan, arguments));
            List<Example> examples = Tasks.chat().template(TURNS).examples(base, reads, List.of(TWO_TURNS));
            assertThat(examples).hasSize(2);
            assertThat(learnt(base, examples.get(0))).isEqualTo("is red </s>");
            assertThat(learnt(base, examples.get(1))).isEqualTo("good </s>");
            assertThat(examples).extracting(Example::number).containsExactly(0L, 1L);
        }
    }

    @Test
    void aLongConversationLosesItsEnd() {
        try (Backbone base = llama()) {
            ChatTask task = Tasks.chat().template(TURNS);
            assertThat(learnt(base, examples(base, task.maxLength(5), TWO_TURNS).get(0)))
                    .isEqualTo("is");
            assertThatThrownBy(() -> examples(base, task.maxLength(4), TWO_TURNS))
                    .isInstanceOf(PeftException.class)
                    .hasMessageStartingWith("row 0's conversation (\"one the book two is red </s>")
                    .hasMessageContaining("leaves none of its answers room in 4 tokens");
        }
    }

    @Test
    void refusesWhatHasNothingToLearn() {
        try (Backbone base = llama()) {
            assertThatThrownBy(() -> examples(
                            base, Tasks.chat().template(TURNS), TWO_TURNS, Conversation.of(Message.user("the book"))))
                    .isInstanceOf(PeftException.class)
                    .hasMessage("row 1's conversation has no message of the role \"assistant\", so there is nothing to"
                            + " learn; leave it out");
            ChatTemplate other = ChatTemplate.of(
                    "other",
                    "{% for m in messages %}{{ m.content }} {% endfor %}{% if add_generation_prompt %}two {% endif %}",
                    Map.of());
            assertThatThrownBy(() -> examples(base, Tasks.chat().template(other), TWO_TURNS))
                    .isInstanceOf(PeftException.class)
                    .hasMessageStartingWith("row 0, message 1 (\"is red\"): the chat template does not write an answer"
                            + " behind the prompt that asks for it")
                    .hasMessageContaining("the prompt ends in \"the book two \"");
            assertThatThrownBy(() -> examples(base, Tasks.chat(), TWO_TURNS))
                    .isInstanceOf(PeftException.class)
                    .hasMessageStartingWith("the model has no chat template");
        }
    }

    @Test
    void whatWasLearntIsGenerated() {
        try (Backbone base = llama()) {
            Adapter adapter = AdapterTrainer.on(base)
                    .method(LORA)
                    .task(Tasks.chat().template(TURNS))
                    .batchSize(2)
                    .epochs(120)
                    .learningRate(3e-2)
                    .schedule(Schedule.constant())
                    .fit(List.of(TWO_TURNS, Conversation.of(Message.user("a film"), Message.assistant("was dull"))));
            try (Generator generator = Generator.of(base, adapter)) {
                assertThat(generator
                                .generate(TURNS.prompt(Message.user("a film")))
                                .text())
                        .isEqualTo("was dull");
                assertThat(generator
                                .generate(TURNS.prompt(TWO_TURNS.messages().subList(0, 3)))
                                .text())
                        .isEqualTo("good");
            }
        }
    }

    @Test
    void microBatchesTakeTheStepsOfWholeBatches() {
        try (Backbone base = llama()) {
            List<Conversation> rows = List.of(
                    TWO_TURNS,
                    Conversation.of(Message.user("a film"), Message.assistant("was very dull and poor")),
                    Conversation.of(Message.user("food"), Message.assistant("fine")));
            List<Adapter> found = new ArrayList<>();
            for (int microBatch : new int[] {1, 3}) {
                found.add(AdapterTrainer.on(base)
                        .method(LORA)
                        .task(Tasks.chat().template(TURNS).labelSmoothing(0.1))
                        .batchSize(3)
                        .microBatchSize(microBatch)
                        .learningRate(1e-2)
                        .fit(rows));
            }
            assertClose(found.get(0), found.get(1), 1e-5);
        }
    }

    @Test
    void refusesToLearnTokensThatAreNotThere() {
        BitSet behind = new BitSet();
        behind.set(2);
        assertThatThrownBy(() -> Example.answered(0, behind, 7, 8))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith("of 2 are to be learnt; expected numbers from 0 to 1");
    }

    private static List<Example> examples(Backbone base, ChatTask task, Conversation... rows) {
        return task.examples(base, plan(base), List.of(rows));
    }

    private static AdapterPlan plan(Backbone base) {
        return AdapterMethods.plan(base.spec(), AdapterMethods.complete(base.spec(), LORA));
    }

    private static int[] ids(Example example) {
        return IntStream.range(0, example.length()).map(example::id).toArray();
    }

    /** The tokens that are learnt, the end token spelt out. */
    private static String learnt(Backbone base, Example example) {
        StringBuilder text = new StringBuilder();
        IntStream.range(0, example.length()).filter(example::isLearnt).forEach(token -> {
            boolean end = base.endTokens().contains(example.id(token));
            text.append(end ? "</s>" : base.tokenizer().decode(example.id(token)))
                    .append(' ');
        });
        return text.toString().strip();
    }
}
