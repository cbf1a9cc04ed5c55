using System.Text;
using System.Text.Json;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Tokenization;

/// <summary>BERT's <c>vocab.txt</c>: one token a line, the line number (from 0) its id.</summary>
internal static class VocabularyFile
{
    /// <summary>
    /// Reads a vocabulary. Its settings, which the file does not hold, are crammed BERT's when its special tokens are in angle brackets,
    /// else BERT's: cased or not as <c>tokenizer_config.json</c> beside it says, or without one, cased when a piece has a capital letter.
    /// </summary>
    /// <exception cref="RefusedException">The file is no UTF-8 text, a token is empty or stands twice, or a special token is missing.</exception>
    public static WordPieceTokenizer Load(string path)
    {
        var tokens = ReadLines(path);
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens[i].Length == 0)
            {
                throw new RefusedException($"{path}, line {i + 1}: empty; each line of a vocabulary holds one token.");
            }

            if (!lines.TryAdd(tokens[i], i + 1))
            {
                throw new RefusedException($"{path}, line {i + 1}: the token '{tokens[i]}' stands on line {lines[tokens[i]]} already.");
            }
        }

        return new WordPieceTokenizer(tokens, SettingsFor(path, tokens), source: path);
    }

    private static List<string> ReadLines(string path)
    {
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path));
        }
        catch (DecoderFallbackException e)
        {
            throw new RefusedException($"{path}: not valid UTF-8 at byte {e.Index}; a vocabulary is UTF-8 text, one token a line.", e);
        }

        // Only line feeds end a line: vocabularies may hold U+0085 or U+2028 as tokens.
        var lines = text.TrimStart('\uFEFF').Split('\n').Select(line => line.TrimEnd()).ToList();
        if (lines[^1].Length == 0)
        {
            lines.RemoveAt(lines.Count - 1);
        }

        return lines;
    }

    private static TokenizerSettings SettingsFor(string path, List<string> tokens)
    {
        if (tokens.Contains("<pad>") && !tokens.Contains("[PAD]"))
        {
            return TokenizerSettings.Crammed;
        }

        var config = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "tokenizer_config.json");
        if (!File.Exists(config))
        {
            return tokens.Exists(token => !token.StartsWith('[') && token.Any(char.IsAsciiLetterUpper))
                ? TokenizerSettings.BertCased
                : TokenizerSettings.BertUncased;
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(config));
            var bert = new NormaliserSettings.Bert(
                HandleChinese: Flag(document.RootElement, "tokenize_chinese_chars") ?? true,
                Lowercase: Flag(document.RootElement, "do_lower_case") ?? true,
                StripAccents: Flag(document.RootElement, "strip_accents"));
            return new TokenizerSettings(bert, PreTokeniser.Bert);
        }
        catch (JsonException e)
        {
            throw new RefusedException($"{config}: not valid JSON: {e.Message}", e);
        }
    }

    private static bool? Flag(JsonElement config, string name) =>
        config.ValueKind == JsonValueKind.Object && config.TryGetProperty(name, out var value)
            ? value.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => null }
            : null;
}
