using System.Text;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Tokenization;

/// <summary>Tokenizers on disk: Hugging Face <c>tokenizer.json</c> and BERT's <c>vocab.txt</c>.</summary>
public static class TokenizerFile
{
    /// <summary>Name of the JSON form inside a folder.</summary>
    public const string JsonName = "tokenizer.json";

    /// <summary>Name of the plain vocabulary inside a folder.</summary>
    public const string VocabularyName = "vocab.txt";

    /// <summary>
    /// Loads a <c>tokenizer.json</c> (WordPiece), a <c>vocab.txt</c>, or a folder with one of them, the JSON preferred. A file that ends in
    /// <c>.json</c> is read as JSON, any other as a vocabulary, whose settings are crammed BERT's when its special tokens are in
    /// angle brackets, else BERT's: cased or not as <c>tokenizer_config.json</c> beside it says, or without one, as its pieces are.
    /// </summary>
    /// <exception cref="RefusedException">There is no such file, it is malformed, or it asks for something this tokenizer does not do.</exception>
    public static WordPieceTokenizer Load(string path)
    {
        if (Directory.Exists(path))
        {
            var folder = path;
            path = Array.Find([Path.Combine(folder, JsonName), Path.Combine(folder, VocabularyName)], File.Exists)
                ?? throw new RefusedException($"{folder}: a folder with {JsonName} or {VocabularyName} was expected, it has neither.");
        }
        else if (!File.Exists(path))
        {
            throw new RefusedException($"{path}: no such file or folder; expected a {JsonName}, a {VocabularyName} or a folder with one of them.");
        }

        try
        {
            return path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? TokenizerJson.Load(path) : VocabularyFile.Load(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>
    /// Writes a <c>tokenizer.json</c> that Hugging Face's tokenizers read and encode alike; atomic, and the same bytes for equal tokenizers.
    /// </summary>
    public static void SaveJson(WordPieceTokenizer tokenizer, string path) =>
        AtomicFile.Write(path, stream => TokenizerJsonWriter.Write(tokenizer, stream));

    /// <summary>Writes the vocabulary, one token a line. Settings are not part of this form: <see cref="Load"/> says which are assumed.</summary>
    /// <exception cref="RefusedException">A token holds a line break or ends with white space, which this form cannot carry.</exception>
    public static void SaveVocabulary(WordPieceTokenizer tokenizer, string path)
    {
        var text = new StringBuilder();
        for (var id = 0; id < tokenizer.VocabularySize; id++)
        {
            var token = tokenizer.Tokens[id];
            if (token.Contains('\n') || token.TrimEnd().Length != token.Length)
            {
                throw new RefusedException($"Entry {id} of the vocabulary holds a line break or ends with white space; save it as {JsonName}.");
            }

            text.Append(token).Append('\n');
        }

        AtomicFile.WriteText(path, text.ToString());
    }
}
