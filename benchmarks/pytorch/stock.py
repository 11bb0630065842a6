# SPDX-License-Identifier: Apache-2.0
"""transformers with its own modules and its own cache: one forward call per step, as `generate` makes them, without the
overhead of `generate` around it. The cache holds rotated keys; kept rows that move are turned on by the difference of their
positions, which for rotary embeddings is the same as rotating anew."""
import torch
from transformers import DynamicCache, Qwen2_5_VLForConditionalGeneration

from lean import rotate


class Stock:
    name = "transformers with its cache"

    def __init__(self, folder):
        self._begin(Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32), (8, 8))

    @classmethod
    def of(cls, model, patches):
        """A model at hand, for pictures of so many patches (rows, columns)."""
        stock = cls.__new__(cls)
        stock._begin(model, patches)
        return stock

    def _begin(self, model, patches):
        self.model = model.eval()
        self.text = self.model.model.language_model
        self.cache = DynamicCache(config=self.model.config.get_text_config())
        self.at = torch.zeros(3, 0, dtype=torch.long)
        self.grid = torch.tensor([[1, *patches]])

    def vision(self, patches):
        out = self.model.model.get_video_features(torch.as_tensor(patches), self.grid)
        out = getattr(out, "pooler_output", out)
        return torch.cat(list(out)) if isinstance(out, (list, tuple)) else out

    def _angles(self, positions):
        cos, sin = self.text.rotary_emb(torch.zeros(1), positions[:, None])
        if cos.dim() == 4:  # [3, 1, rows, dim]: each frequency takes the angle of its component
            sections = self.model.config.get_text_config().rope_parameters["mrope_section"] * 2
            pick = lambda t: torch.cat([part[i % 3] for i, part in enumerate(t.split(sections, -1))], -1)
            cos, sin = pick(cos), pick(sin)
        return cos[0], sin[0]

    def keep(self, rows, positions):
        index, now = torch.tensor(rows), torch.as_tensor(positions)
        cos, sin = self._angles(now - self.at[:, index])
        for layer in self.cache.layers:
            layer.keys = rotate(layer.keys[:, :, index], cos, sin).to(layer.values.dtype)
            layer.values = layer.values[:, :, index]
        self.at = now

    def feed(self, ids, positions, vision=None, pad=None):
        now = torch.as_tensor(positions)
        t = torch.tensor([ids])
        x = self.text.embed_tokens(t)
        if vision is not None:
            x = x.masked_scatter((t == pad)[..., None], vision)
        self.at = torch.cat([self.at, now], 1)
        h = self.text(inputs_embeds=x, position_ids=now[:, None], past_key_values=self.cache, use_cache=True)
        return self.model.lm_head(h.last_hidden_state[0, -1])
