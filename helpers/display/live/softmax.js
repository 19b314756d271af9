// The temperature of the softmax: move the slider, and the probabilities follow.
import { bars, slider, view, words } from "./parts.js";

/** helpers.text.softmax, for one row. */
export function softmax(logits, temperature = 1) {
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp((logit - largest) / temperature));
  const sum = exponentials.reduce((total, one) => total + one, 0);
  return exponentials.map((one) => one / sum);
}

function draw({ labels, logits, temperature }) {
  const probabilities = softmax(logits, temperature);
  const spoken = labels.map((label, i) => `${label} ${probabilities[i].toFixed(2)}`).join(", ");
  return { parts: [bars(labels, probabilities, softmax(logits))], spoken };
}

export default {
  render({ model, el }) {
    // the slider moves through the exponents, so that half and double are as far from 1
    const temperature = (changed) => {
      const { element, show } = slider(
        {
          label: words("Temperature"),
          min: -1,
          max: 1,
          step: 0.05,
          text: (exponent) => (10 ** exponent).toFixed(2),
        },
        (exponent) => changed(10 ** exponent),
      );
      return { element, show: (value) => show(Math.log10(value)) };
    };
    return view({ model, el, controls: { temperature }, draw });
  },
};
