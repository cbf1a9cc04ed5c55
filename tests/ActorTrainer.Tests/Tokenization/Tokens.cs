using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Tests.Tokenization;

/// <summary>Small vocabularies and short ways to write an encoding.</summary>
internal static class Tokens
{
    public static readonly string[] BertSpecials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    public static readonly string[] OwnSpecials = ["<pad>", "<s>", "</s>", "<unk>", "<cls>", "<sep>", "<mask>"];

    public static WordPieceTokenizer Of(TokenizerSettings settings, params string[] pieces) => new([.. BertSpecials, .. pieces], settings);

    /// <summary>The pieces of a text, separated by spaces.</summary>
    public static string Pieces(this WordPieceTokenizer tokenizer, string text) =>
        string.Join(' ', Ids(tokenizer, text).Select(id => tokenizer.Tokens[id]));

    public static List<int> Ids(this WordPieceTokenizer tokenizer, string text)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, ids);
        return ids;
    }
}
