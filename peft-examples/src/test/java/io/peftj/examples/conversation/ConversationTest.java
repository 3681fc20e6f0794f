package io.peftj.examples.conversation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.serve.Adapters;
import io.peftj.djl.serve.Completion;
import io.peftj.djl.serve.Generator;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.Tasks;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversationTest {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final PrintStream out = new PrintStream(written, true, StandardCharsets.UTF_8);

    @Test
    void theFirstUnfinishedTextIsPrintedAsItComesAndTheOthersAfterIt() {
        Lines lines = new Lines(List.of("base", "facts"), out);
        lines.text(1, "It ");
        lines.text(0, "Well,");
        assertThat(printed()).isEqualTo("    base: Well,");
        lines.text(1, "is so.");
        lines.done(1, new Completion("It is so.", List.of(1, 2), true));
        lines.text(0, "\nperhaps.");
        lines.done(0, new Completion("Well,\nperhaps.", List.of(1, 2), true));
        assertThat(printed()).isEqualTo("    base: Well,\n          perhaps.\n   facts: It is so.\n");
    }

    @Test
    void everyVoiceAnswersWithItsOwnHistory(@TempDir Path folder) throws Exception {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Files.writeString(
                model.resolve("tokenizer_config.json"),
                "{\"eos_token\": \"</s>\", \"chat_template\": \"{% for m in messages %}{{ m.content }} {% endfor %}\"}");
        try (ReferenceBackend backend = ReferenceBackend.exact();
                Backbone base = Backbones.load(model, backend, DType.F32);
                Adapters adapters = Adapters.on(base)) {
            adapters.put(
                    "red",
                    AdapterTrainer.on(base)
                            .method(LoraConfig.builder().rank(4).build())
                            .task(Tasks.answers())
                            .epochs(100)
                            .learningRate(5e-2)
                            .fit(List.of(
                                    new PromptAnswer("a room is", "very red"),
                                    new PromptAnswer("a room is very red the book is", "blue"))));
            Conversation conversation =
                    new Conversation(base, adapters, Generator.of(adapters).maxTokens(3));
            conversation.say("a room is", out);
            assertThat(printed()).contains("    base: ").endsWith("     red: very red\n");
            conversation.say("the book is", out);
            assertThat(printed()).endsWith("     red: blue\n");
            adapters.put(
                    "base",
                    AdapterTrainer.on(base)
                            .method(LoraConfig.builder().rank(4).build())
                            .task(Tasks.answers())
                            .untrained());
            Generator generator = Generator.of(adapters);
            assertThatThrownBy(() -> new Conversation(base, adapters, generator))
                    .hasMessage("an adapter is called base, as the bare model is; give it another name");
        }
    }

    private String printed() {
        return written.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }
}
