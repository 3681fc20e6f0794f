package io.peftj.core.adapter;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.TensorSource;
import io.peftj.core.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tensors of an adapter's file, sorted out: PEFT also writes second names of heads, and copies of frozen modules it wrapped.
 *
 * @param parameters the adapter's own
 * @param copiesOfBase under their names in the base
 */
record AdapterTensors(Map<String, HostTensor> parameters, List<Copy> copiesOfBase) {
    private static final String SECOND_NAME = ".modules_to_save.";
    private static final Pattern COPY = Pattern.compile(
            "(?:base_model\\.)?(?:model\\.)?(.*)(?:\\.base_layer(?=\\.weight$)|\\.original_module(?=\\.))(.*)");

    /** What is kept of a copy: its name in the base and shape, and values at some places. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Copy(ParameterSpec parameter, float[] samples) {}

    static AdapterTensors of(TensorSource file) {
        Map<String, HostTensor> parameters = new LinkedHashMap<>();
        List<Copy> copies = new ArrayList<>();
        for (String name : file.names()) {
            StoredTensor tensor = file.find(name);
            Matcher copy = COPY.matcher(name);
            if (copy.matches()) {
                copies.add(new Copy(
                        new ParameterSpec(copy.group(1) + copy.group(2), tensor.shape()),
                        Fingerprint.Tensor.of(tensor).samples()));
            } else if (!name.contains(SECOND_NAME)) {
                parameters.put(name, tensor.toHostTensor());
            }
        }
        for (String name : file.names()) {
            if (name.contains(SECOND_NAME)) {
                addSecondName(parameters, file.find(name));
            }
        }
        return new AdapterTensors(parameters, copies);
    }

    private static void addSecondName(Map<String, HostTensor> parameters, StoredTensor tensor) {
        String firstName = tensor.name().replace(SECOND_NAME, ".");
        HostTensor second = tensor.toHostTensor();
        HostTensor first = parameters.putIfAbsent(firstName, second);
        if (first != null && !Arrays.equals(first.values(), second.values())) {
            throw new InvalidFileException(tensor + ": expected the values of \"" + firstName
                    + "\", which it is another name of, found others; delete the one that is not meant");
        }
    }
}
