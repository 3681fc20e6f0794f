package io.peftj.examples.supportdesk;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.OnnxEncoders;
import io.peftj.djl.backbone.Options;
import io.peftj.djl.serve.Classification;
import io.peftj.djl.serve.Classifier;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.ProgressBar;
import io.peftj.djl.train.Tasks;
import io.peftj.methods.lora.LoraConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Teaches MiniLM, a sentence encoder from Maven Central, what a support desk's customers want: trains a LoRA adapter, measures it, saves it, opens it on
 * a new copy of the model and classifies three sentences it has not seen.
 *
 * <p>Usage: {@code SupportDesk [FOLDER]}, where the adapter is saved; "support-desk-adapter" by default.
 */
public final class SupportDesk {
    private static final List<String> NEW_MESSAGES = List.of(
            "You said somebody would ring me back on Tuesday. Nobody did.",
            "Please leave my order as it is, I no longer want to cancel it.",
            "Move two hundred from my current account into savings.");

    private SupportDesk() {}

    /** Runs the example. */
    public static void main(String... args) {
        Path folder = Path.of(args.length > 0 ? args[0] : "support-desk-adapter");
        try (Backbone base = miniLm()) {
            List<LabelledText> test = Messages.of("test");
            System.out.printf(
                    "before: accuracy %s on %d test messages%n",
                    percent(accuracy(base, trainer(base).untrained(), test)), test.size());
            Adapter adapter = trainer(base)
                    .epochs(8)
                    .listener(ProgressBar.toStderr())
                    .fit(Messages.of("train"), Messages.of("validation"));
            System.out.printf("after:  accuracy %s%n", percent(accuracy(base, adapter, test)));
            AdapterFiles.save(adapter, folder);
            System.out.println("saved to " + folder);
        }
        try (Backbone base = miniLm();
                Classifier classifier = Classifier.of(base, AdapterLoader.load(folder, base))) {
            for (String message : NEW_MESSAGES) {
                Classification found = classifier.classify(message);
                System.out.printf("%s%n  -> %s (%s)%n", message, found.label(), percent(found.probability()));
            }
        }
    }

    static Backbone miniLm() {
        return OnnxEncoders.loadResource(
                "/all-minilm-l6-v2.onnx", "/all-minilm-l6-v2-tokenizer.json", Options.defaults());
    }

    private static AdapterTrainer<LabelledText> trainer(Backbone base) {
        return AdapterTrainer.on(base)
                .method(LoraConfig.builder().rank(8).alpha(16).build())
                .task(Tasks.classification(Messages.labels()))
                .learningRate(3e-3)
                .batchSize(16)
                .weightDecay(0.01);
    }

    private static double accuracy(Backbone base, Adapter adapter, List<LabelledText> messages) {
        try (Classifier classifier = Classifier.of(base, adapter)) {
            List<String> found = classifier
                    .classify(messages.stream().map(LabelledText::text).toList())
                    .stream()
                    .map(Classification::label)
                    .toList();
            long right = 0;
            for (int i = 0; i < messages.size(); i++) {
                right += found.get(i).equals(messages.get(i).label()) ? 1 : 0;
            }
            return (double) right / messages.size();
        }
    }

    static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}
