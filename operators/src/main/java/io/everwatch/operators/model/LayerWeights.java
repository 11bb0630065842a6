// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.TensorSource;
import io.everwatch.kernels.Vector;
import java.util.Arrays;
import java.util.List;

/**
 * Lays out the weights under one prefix of names. Several names are stacked along the output
 * features and become one product.
 *
 * @param prefix ends with a dot
 */
record LayerWeights(String prefix, Weights weights, Backend backend) {
  Matrix matrix(String... names) {
    return backend.matrix(title(names), tensors(".weight", names));
  }

  Vector bias(String... names) {
    return backend.vector(title(names) + ".bias", tensors(".bias", names));
  }

  Vector gain(String name) {
    return backend.vector(title(name), tensors(".weight", name));
  }

  private String title(String... names) {
    return prefix + String.join("+", names);
  }

  private List<TensorSource> tensors(String kind, String... names) {
    return Arrays.stream(names).map(name -> weights.get(prefix + name + kind)).toList();
  }
}
