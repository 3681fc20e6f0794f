package io.peftj.djl.backbone;

import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.LoadOptions;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.tensor.HostTensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Brings adapters and the models they were made for together. */
public final class AdapterLoader {
    private static final Pattern HEAD_WEIGHT =
            Pattern.compile("base_model\\.(?:model\\.)?(?:classifier|score)(?:\\.out_proj)?\\.weight");

    private AdapterLoader() {}

    /**
     * Reads an adapter for a model.
     *
     * @throws io.peftj.core.InvalidFileException if a file is missing or damaged
     * @throws io.peftj.core.IncompatibleAdapterException if it was made for another model, which the message names
     */
    public static Adapter load(Path folder, Backbone base) {
        return load(folder, base, LoadOptions.STRICT);
    }

    /**
     * Reads an adapter for a model that it may not have been made for, such as a quantised copy.
     *
     * @param options how strictly it must fit
     * @throws io.peftj.core.InvalidFileException if a file is missing or damaged
     * @throws io.peftj.core.IncompatibleAdapterException if it does not fit, as the options loosen it
     */
    public static Adapter load(Path folder, Backbone base, LoadOptions options) {
        BackboneSpec spec = spec(base.spec(), AdapterFiles.load(folder));
        return AdapterFiles.load(folder, spec, base.fingerprint(), base::sampled, options);
    }

    /**
     * Puts an adapter into the backend's memory, ready to act; the caller closes it.
     *
     * @param name tells adapters apart in messages
     * @throws io.peftj.core.IncompatibleAdapterException if it was made for another model or tokenizer
     */
    public static ResidentAdapter resident(Backbone base, String name, Adapter adapter) {
        BackboneSpec spec = spec(base.spec(), adapter);
        AdapterFiles.check(adapter, spec, base.fingerprint());
        checkTokenizer(base, adapter);
        AdapterPlan plan = AdapterMethods.plan(spec, adapter.config());
        Map<String, HostTensor> stored = new LinkedHashMap<>();
        for (ParameterSpec parameter : plan.stored()) {
            stored.put(
                    parameter.name(),
                    Objects.requireNonNull(adapter.parameters().get(parameter.name())));
        }
        return ResidentAdapter.load(base, name, plan, stored);
    }

    private static void checkTokenizer(Backbone base, Adapter adapter) {
        String recorded = adapter.task().tokenizerFingerprint();
        if (recorded != null
                && base.hasTokenizer()
                && !recorded.equals(base.tokenizer().fingerprint())) {
            throw new IncompatibleAdapterException("the adapter was trained with the tokenizer " + recorded
                    + ", the model has " + base.tokenizer().fingerprint()
                    + ", which cuts texts otherwise; use the tokenizer.json it was trained with");
        }
    }

    /** The model as an adapter's method plans on it: with the adapter's head, if it brings one. */
    public static BackboneSpec spec(BackboneSpec model, Adapter adapter) {
        HeadSpec head = head(model, adapter);
        return head == null ? model : model.withHead(head);
    }

    /** The classification head an adapter uses: its own, or the model's; null for none. */
    public static @Nullable HeadSpec head(BackboneSpec model, Adapter adapter) {
        OptionalInt classes = classes(adapter);
        if (classes.isEmpty()) {
            return model.head();
        }
        HeadSpec usual = model.headFor(classes.getAsInt());
        Pooling pooling = adapter.task().pooling();
        return pooling == null ? usual : usual.withPooling(pooling);
    }

    private static OptionalInt classes(Adapter adapter) {
        TaskType type = adapter.config().taskType();
        if (type != null && type != TaskType.SEQ_CLS && type != TaskType.FEATURE_EXTRACTION) {
            return OptionalInt.empty();
        }
        for (Map.Entry<String, HostTensor> parameter : adapter.parameters().entrySet()) {
            Matcher head = HEAD_WEIGHT.matcher(parameter.getKey());
            if (head.matches()) {
                return OptionalInt.of(parameter.getValue().shape().dim(0));
            }
        }
        return OptionalInt.empty();
    }
}
