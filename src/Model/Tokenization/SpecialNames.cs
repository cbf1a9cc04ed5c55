using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Tokenization;

/// <summary>The names under which special tokens stand in a vocabulary.</summary>
internal static class SpecialNames
{
    /// <summary>Entries 0 to 6 of vocabularies trained by this project.</summary>
    public static readonly IReadOnlyList<string> Own = ["<pad>", "<s>", "</s>", "<unk>", "<cls>", "<sep>", "<mask>"];

    private static readonly string[] Recognised = [.. Own, "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    /// <summary>True for names of either spelling.</summary>
    public static bool IsRecognised(string token) => Array.IndexOf(Recognised, token) >= 0;

    /// <summary>Finds the five special tokens, in BERT's or this project's spelling; <paramref name="unknown"/> is a name that the file gives.</summary>
    /// <exception cref="RefusedException">One is missing; the message names all that are.</exception>
    public static SpecialTokens Find(IReadOnlyDictionary<string, int> ids, string? unknown, string source)
    {
        var missing = new List<string>();
        var found = new SpecialTokens(
            Id("[PAD]", "<pad>"),
            unknown is not null && ids.TryGetValue(unknown, out var id) ? id : Id("[UNK]", "<unk>"),
            Id("[CLS]", "<cls>"),
            Id("[SEP]", "<sep>"),
            Id("[MASK]", "<mask>"));
        return missing.Count == 0
            ? found
            : throw new RefusedException(
                $"{source}: the vocabulary lacks {string.Join(", ", missing)}. Expected the five special tokens as [PAD] [UNK] [CLS] [SEP] [MASK] "
                + "or <pad> <unk> <cls> <sep> <mask>; add them to the vocabulary or name another tokenizer.");

        int Id(string bert, string own)
        {
            if (ids.TryGetValue(bert, out var value) || ids.TryGetValue(own, out value))
            {
                return value;
            }

            missing.Add($"{bert} (or {own})");
            return -1;
        }
    }
}
