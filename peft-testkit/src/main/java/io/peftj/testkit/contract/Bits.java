package io.peftj.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Comparing to the last bit. */
final class Bits {
    private Bits() {}

    static void assertSameBits(String what, List<double[]> found, List<double[]> expected) {
        assertThat(found).as(what).hasSameSizeAs(expected);
        for (int row = 0; row < expected.size(); row++) {
            assertThat(found.get(row)).as(what + ", row " + row).isEqualTo(expected.get(row));
        }
    }

    static Map<String, HostTensor> base(ContractModel model) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        model.spec()
                .parameters()
                .keySet()
                .forEach(name -> values.put(name, model.parameter(name).orElseThrow()));
        return values;
    }

    static Map<String, List<Integer>> bits(Map<String, HostTensor> values) {
        Map<String, List<Integer>> bits = new LinkedHashMap<>();
        values.forEach((name, value) -> {
            List<Integer> ofValue = new ArrayList<>();
            for (float v : value.values()) {
                ofValue.add(Float.floatToRawIntBits(v));
            }
            bits.put(name, ofValue);
        });
        return bits;
    }

    static Map<String, Shape> shapes(List<ParameterSpec> parameters) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        parameters.forEach(parameter -> shapes.put(parameter.name(), parameter.shape()));
        return shapes;
    }

    static Map<String, Shape> shapes(Map<String, HostTensor> values) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        values.forEach((name, value) -> shapes.put(name, value.shape()));
        return shapes;
    }
}
