using System.Text.Encodings.Web;
using System.Text.Json;

namespace ActorTrainer.Model.Tokenization;

/// <summary>Writes Hugging Face's <c>tokenizer.json</c>, with crammed BERT's templates <c>$A sep</c> and <c>cls $A sep $B sep</c>.</summary>
internal static class TokenizerJsonWriter
{
    private static readonly JsonWriterOptions Options = new()
    {
        Indented = true,
        IndentSize = 2,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes the file; equal tokenizers give the same bytes.</summary>
    public static void Write(WordPieceTokenizer tokenizer, Stream stream)
    {
        using (var json = new Utf8JsonWriter(stream, Options))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            WriteAddedTokens(json, tokenizer);
            json.WritePropertyName("normalizer");
            WriteNormaliser(json, tokenizer.Settings.Normaliser);
            WriteTyped(json, "pre_tokenizer", tokenizer.Settings.PreTokeniser switch
            {
                PreTokeniser.Bert => "BertPreTokenizer",
                PreTokeniser.Whitespace => "Whitespace",
                PreTokeniser.WhitespaceSplit => "WhitespaceSplit",
                var other => throw new InvalidOperationException($"No Hugging Face name for {other}."),
            });
            json.WriteEndObject();
            WritePostProcessor(json, tokenizer);
            WriteTyped(json, "decoder", "WordPiece");
            json.WriteString("prefix", WordPieceTokenizer.ContinuationPrefix);
            json.WriteBoolean("cleanup", false);
            json.WriteEndObject();
            WriteModel(json, tokenizer);
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }

    private static void WriteAddedTokens(Utf8JsonWriter json, WordPieceTokenizer tokenizer)
    {
        json.WriteStartArray("added_tokens");
        foreach (var (name, id) in tokenizer.SpecialIds)
        {
            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("content", name);
            json.WriteBoolean("single_word", false);
            json.WriteBoolean("lstrip", false);
            json.WriteBoolean("rstrip", false);
            json.WriteBoolean("normalized", false);
            json.WriteBoolean("special", true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteNormaliser(Utf8JsonWriter json, NormaliserSettings normaliser)
    {
        switch (normaliser)
        {
            case NormaliserSettings.None:
                json.WriteNullValue();
                return;
            case NormaliserSettings.Crammed:
                json.WriteStartObject();
                json.WriteString("type", "Sequence");
                json.WriteStartArray("normalizers");
                foreach (var step in CrammedSteps.All)
                {
                    step.Write(json);
                }

                json.WriteEndArray();
                json.WriteEndObject();
                return;
            case NormaliserSettings.Bert bert:
                json.WriteStartObject();
                json.WriteString("type", "BertNormalizer");
                json.WriteBoolean("clean_text", bert.CleanText);
                json.WriteBoolean("handle_chinese_chars", bert.HandleChinese);
                if (bert.StripAccents is { } strip)
                {
                    json.WriteBoolean("strip_accents", strip);
                }
                else
                {
                    json.WriteNull("strip_accents");
                }

                json.WriteBoolean("lowercase", bert.Lowercase);
                json.WriteEndObject();
                return;
            default:
                throw new InvalidOperationException($"No Hugging Face form of {normaliser}.");
        }
    }

    private static void WritePostProcessor(Utf8JsonWriter json, WordPieceTokenizer tokenizer)
    {
        var (cls, sep) = (tokenizer.Special.Classify, tokenizer.Special.Separator);
        WriteTyped(json, "post_processor", "TemplateProcessing");
        json.WriteStartArray("single");
        Part("Sequence", "A");
        Part("SpecialToken", tokenizer.Tokens[sep]);
        json.WriteEndArray();
        json.WriteStartArray("pair");
        Part("SpecialToken", tokenizer.Tokens[cls]);
        Part("Sequence", "A");
        Part("SpecialToken", tokenizer.Tokens[sep]);
        Part("Sequence", "B");
        Part("SpecialToken", tokenizer.Tokens[sep]);
        json.WriteEndArray();
        json.WriteStartObject("special_tokens");
        foreach (var id in (int[])[cls, sep])
        {
            json.WriteStartObject(tokenizer.Tokens[id]);
            json.WriteString("id", tokenizer.Tokens[id]);
            json.WriteStartArray("ids");
            json.WriteNumberValue(id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            json.WriteStringValue(tokenizer.Tokens[id]);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();

        // The models of this project have no token types, so every part has type 0.
        void Part(string kind, string id)
        {
            json.WriteStartObject();
            json.WriteStartObject(kind);
            json.WriteString("id", id);
            json.WriteNumber("type_id", 0);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static void WriteModel(Utf8JsonWriter json, WordPieceTokenizer tokenizer)
    {
        WriteTyped(json, "model", "WordPiece");
        json.WriteString("unk_token", tokenizer.Tokens[tokenizer.Special.Unknown]);
        json.WriteString("continuing_subword_prefix", WordPieceTokenizer.ContinuationPrefix);
        json.WriteNumber("max_input_chars_per_word", tokenizer.Settings.MaxWordCharacters);
        json.WriteStartObject("vocab");
        for (var id = 0; id < tokenizer.VocabularySize; id++)
        {
            json.WriteNumber(tokenizer.Tokens[id], id);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Begins an object that the caller ends.</summary>
    private static void WriteTyped(Utf8JsonWriter json, string name, string type)
    {
        json.WriteStartObject(name);
        json.WriteString("type", type);
    }
}
