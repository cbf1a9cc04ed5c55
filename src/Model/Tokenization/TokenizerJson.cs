using System.Text.Json;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Tokenization;

/// <summary>
/// Reads Hugging Face's <c>tokenizer.json</c>. What decides ids is understood or refused; truncation, padding, post-processor and decoder do
/// not, and are passed over: special tokens around a text follow this project's templates.
/// </summary>
internal sealed class TokenizerJson
{
    private readonly string _path;

    private TokenizerJson(string path) => _path = path;

    /// <summary>Loads a file.</summary>
    /// <exception cref="RefusedException">The file is malformed or asks for something unsupported, which the message names.</exception>
    public static WordPieceTokenizer Load(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return new TokenizerJson(path).Read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new RefusedException($"{path}: not valid JSON (line {e.LineNumber + 1}): {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            // A value of another kind than the format has, or a string that is no Unicode text.
            throw new RefusedException($"{path}: not a Hugging Face tokenizer file: {e.Message}", e);
        }
        catch (FormatException e)
        {
            throw new RefusedException($"{path}: not a Hugging Face tokenizer file: a number is out of range: {e.Message}", e);
        }
    }

    private WordPieceTokenizer Read(JsonElement root)
    {
        var model = Member(root, "model") ?? throw Refuse("it has no 'model'");
        if (Type(model) is { } type && type != "WordPiece")
        {
            throw Refuse($"model of type '{type}'", "a WordPiece model");
        }

        if (Member(model, "continuing_subword_prefix")?.GetString() is { } prefix && prefix != WordPieceTokenizer.ContinuationPrefix)
        {
            throw Refuse($"continuing_subword_prefix '{prefix}'", $"'{WordPieceTokenizer.ContinuationPrefix}'");
        }

        var ids = ReadVocabulary(model);
        var specials = ReadAddedTokens(root, ids);
        var tokens = new string[ids.Count];
        foreach (var (token, id) in ids)
        {
            if ((uint)id >= (uint)tokens.Length || tokens[id] is not null)
            {
                throw Refuse(
                    (uint)id >= (uint)tokens.Length ? $"id {id} of token '{token}'" : $"id {id} twice, for '{tokens[id]}' and '{token}'",
                    $"the ids 0 to {tokens.Length - 1}, each once");
            }

            tokens[id] = token;
        }

        var unknown = Member(model, "unk_token")?.GetString();
        if (unknown is not null && !ids.ContainsKey(unknown))
        {
            throw new RefusedException($"{_path}: the vocabulary lacks the model's unk_token '{unknown}'; add it.");
        }

        var longest = Member(model, "max_input_chars_per_word")?.GetInt32() ?? 100;
        if (longest < 1)
        {
            throw Refuse($"max_input_chars_per_word {longest}", "at least 1");
        }

        return new WordPieceTokenizer(
            tokens,
            new TokenizerSettings(ReadNormaliser(Member(root, "normalizer")), ReadPreTokeniser(Member(root, "pre_tokenizer")), longest),
            unknown,
            specials,
            _path);
    }

    private Dictionary<string, int> ReadVocabulary(JsonElement model)
    {
        var vocabulary = Member(model, "vocab") ?? throw Refuse("its model has no 'vocab'");
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in vocabulary.EnumerateObject())
        {
            if (!ids.TryAdd(entry.Name, entry.Value.GetInt32()))
            {
                throw Refuse($"the token '{entry.Name}' twice in its vocabulary", "each token once");
            }
        }

        return ids;
    }

    /// <summary>Adds tokens that stand beside the model's vocabulary to <paramref name="ids"/>; returns their names.</summary>
    private List<string> ReadAddedTokens(JsonElement root, Dictionary<string, int> ids)
    {
        var names = new List<string>();
        if (Member(root, "added_tokens") is not { } added)
        {
            return names;
        }

        foreach (var entry in added.EnumerateArray())
        {
            var name = Member(entry, "content")?.GetString() ?? throw Refuse("an added token without 'content'");
            var id = Member(entry, "id")?.GetInt32() ?? throw Refuse($"the added token '{name}' without 'id'");
            if (Member(entry, "special")?.GetBoolean() != true)
            {
                throw Refuse($"the added token '{name}', which is not special", "special ones only");
            }

            if (!ids.TryAdd(name, id) && ids[name] != id)
            {
                throw Refuse($"the added token '{name}' with id {id}", $"its id in the vocabulary, {ids[name]}");
            }

            names.Add(name);
        }

        return names;
    }

    private NormaliserSettings ReadNormaliser(JsonElement? element)
    {
        if (element is not { } normaliser)
        {
            return new NormaliserSettings.None();
        }

        switch (Type(normaliser))
        {
            case "BertNormalizer":
                return new NormaliserSettings.Bert(
                    Flag(normaliser, "clean_text") ?? true,
                    Flag(normaliser, "handle_chinese_chars") ?? true,
                    Flag(normaliser, "lowercase") ?? true,
                    Flag(normaliser, "strip_accents"));
            case "Sequence":
                return ReadSequence(normaliser);
            case var other:
                throw Refuse($"normalizer '{other}'", "BertNormalizer, the Sequence of crammed BERT, or none");
        }
    }

    private NormaliserSettings ReadSequence(JsonElement sequence)
    {
        var steps = (Member(sequence, "normalizers") ?? throw Refuse("a normalizer Sequence without 'normalizers'")).EnumerateArray().ToArray();
        if (steps.Length == 0)
        {
            return new NormaliserSettings.None();
        }

        if (steps.Length == 1 && Type(steps[0]) is "BertNormalizer" or "Sequence")
        {
            return ReadNormaliser(steps[0]);
        }

        var components = steps.Select(NormaliserStep.Read).ToArray();
        return components.SequenceEqual(CrammedSteps.All)
            ? new NormaliserSettings.Crammed()
            : throw Refuse($"the normalizer Sequence [{string.Join(", ", (object[])components)}]", $"[{string.Join(", ", CrammedSteps.All)}]");
    }

    private PreTokeniser ReadPreTokeniser(JsonElement? element)
    {
        var type = element is { } preTokenizer ? Type(preTokenizer) : null;
        switch (type)
        {
            case "BertPreTokenizer":
                return PreTokeniser.Bert;
            case "Whitespace":
                return PreTokeniser.Whitespace;
            case "WhitespaceSplit":
                return PreTokeniser.WhitespaceSplit;
            case "Sequence" when Member(element!.Value, "pretokenizers") is { } parts && parts.GetArrayLength() == 1:
                return ReadPreTokeniser(parts[0]);
            default:
                throw Refuse(type is null ? "no pre_tokenizer" : $"pre_tokenizer '{type}'", "BertPreTokenizer, Whitespace or WhitespaceSplit");
        }
    }

    private RefusedException Refuse(string found, string expected = "a Hugging Face tokenizer file") =>
        new($"{_path}: found {found}; expected {expected}. Use another tokenizer or train one.");

    /// <summary>A member that is there and not null.</summary>
    private static JsonElement? Member(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static bool? Flag(JsonElement element, string name) => Member(element, name)?.GetBoolean();

    private static string? Type(JsonElement element) => Member(element, "type")?.GetString();
}
