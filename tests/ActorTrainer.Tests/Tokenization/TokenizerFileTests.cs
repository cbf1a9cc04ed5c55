using System.Text.Json.Nodes;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Tokenization;
using Xunit;

namespace ActorTrainer.Tests.Tokenization;

public sealed class TokenizerFileTests : IDisposable
{
    private const string Text = "Café's ``quoted'' 中国 a_b [MASK] <mask> x—y 🤗 HELLO\tworld!!";

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<TokenizerSettings> AllSettings =>
    [
        TokenizerSettings.Crammed,
        TokenizerSettings.BertUncased,
        TokenizerSettings.BertCased with { MaxWordCharacters = 3 },
        new TokenizerSettings(new NormaliserSettings.None(), PreTokeniser.WhitespaceSplit),
        new TokenizerSettings(new NormaliserSettings.Bert(false, false, true, false), PreTokeniser.Whitespace),
    ];

    [Theory]
    [MemberData(nameof(AllSettings))]
    public void A_saved_json_loads_equal_and_saves_to_the_same_bytes(TokenizerSettings settings)
    {
        var tokenizer = Pieces(Tokens.OwnSpecials, settings);
        var (first, second) = (In("a.json"), In("b.json"));
        TokenizerFile.SaveJson(tokenizer, first);
        var loaded = TokenizerFile.Load(first);
        TokenizerFile.SaveJson(loaded, second);

        Assert.Equal(tokenizer.Hash, loaded.Hash);
        Assert.Equal(tokenizer.Ids(Text), loaded.Ids(Text));
        Assert.Equal(settings, loaded.Settings);
        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
    }

    [Fact]
    public void The_json_of_a_crammed_tokenizer_spells_out_its_normaliser_and_templates()
    {
        TokenizerFile.SaveJson(Pieces(Tokens.OwnSpecials, TokenizerSettings.Crammed), In("tokenizer.json"));
        var json = JsonNode.Parse(File.ReadAllText(In("tokenizer.json")))!;
        Assert.Equal(
            ["Replace", "Replace", "NFD", "Lowercase", "StripAccents", "Replace", "Replace"],
            json["normalizer"]!["normalizers"]!.AsArray().Select(step => (string)step!["type"]!));
        Assert.Equal("Whitespace", (string)json["pre_tokenizer"]!["type"]!);
        Assert.Equal("<unk>", (string)json["model"]!["unk_token"]!);
        Assert.Equal("##", (string)json["model"]!["continuing_subword_prefix"]!);
        Assert.Equal(100, (int)json["model"]!["max_input_chars_per_word"]!);
        Assert.Equal(Tokens.OwnSpecials, json["added_tokens"]!.AsArray().Select(token => (string)token!["content"]!));
        Assert.All(json["added_tokens"]!.AsArray(), token => Assert.True((bool)token!["special"]!));
        Assert.Equal("A <sep>", Template("single"));
        Assert.Equal("<cls> A <sep> B <sep>", Template("pair"));
        Assert.Equal(5, (int)json["post_processor"]!["special_tokens"]!["<sep>"]!["ids"]![0]!);

        string Template(string name) => string.Join(
            ' ',
            json["post_processor"]![name]!.AsArray().Select(part => (string)(part!["Sequence"] ?? part["SpecialToken"])!["id"]!));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_saved_vocabulary_loads_equal_for_both_families(bool own)
    {
        var tokenizer = own ? Pieces(Tokens.OwnSpecials, TokenizerSettings.Crammed) : Pieces(Tokens.BertSpecials, TokenizerSettings.BertUncased);
        TokenizerFile.SaveVocabulary(tokenizer, In("vocab.txt"));
        Assert.Equal(tokenizer.Hash, TokenizerFile.Load(In("vocab.txt")).Hash);
        Assert.Equal(tokenizer.Hash, TokenizerFile.Load(_folder).Hash);
        Assert.Equal(string.Join('\n', tokenizer.Tokens) + "\n", File.ReadAllText(In("vocab.txt")));
    }

    [Fact]
    public void A_folder_prefers_its_json()
    {
        TokenizerFile.SaveVocabulary(Pieces(Tokens.BertSpecials, TokenizerSettings.BertUncased), In("vocab.txt"));
        var json = Pieces(Tokens.OwnSpecials, TokenizerSettings.Crammed);
        TokenizerFile.SaveJson(json, In("tokenizer.json"));
        Assert.Equal(json.Hash, TokenizerFile.Load(_folder).Hash);
    }

    [Fact]
    public void A_vocabulary_is_cased_when_its_pieces_or_the_config_beside_it_say_so()
    {
        File.WriteAllLines(In("vocab.txt"), [.. Tokens.BertSpecials, "Hello", "hello"]);
        Assert.Equal(TokenizerSettings.BertCased, TokenizerFile.Load(_folder).Settings);
        File.WriteAllLines(In("vocab.txt"), [.. Tokens.BertSpecials, "hello"]);
        Assert.Equal(TokenizerSettings.BertUncased, TokenizerFile.Load(_folder).Settings);
        File.WriteAllText(In("tokenizer_config.json"), """{"do_lower_case": false, "strip_accents": null}""");
        Assert.Equal(TokenizerSettings.BertCased, TokenizerFile.Load(_folder).Settings);
    }

    [Fact]
    public void Windows_line_ends_are_no_part_of_tokens()
    {
        File.WriteAllText(In("vocab.txt"), string.Join("\r\n", [.. Tokens.BertSpecials, "a"]));
        Assert.Equal([.. Tokens.BertSpecials, "a"], TokenizerFile.Load(In("vocab.txt")).Tokens);
    }

    [Fact]
    public void What_is_not_there_is_refused_by_name()
    {
        Refused("no such file", In("missing.json"));
        Refused("neither", _folder);
    }

    [Fact]
    public void Malformed_vocabularies_are_refused_with_their_line()
    {
        File.WriteAllLines(In("vocab.txt"), [.. Tokens.BertSpecials, "a", "b", "a"]);
        Refused("line 8: the token 'a' stands on line 6", In("vocab.txt"));
        File.WriteAllLines(In("vocab.txt"), [.. Tokens.BertSpecials, "", "b"]);
        Refused("line 6: empty", In("vocab.txt"));
        File.WriteAllLines(In("vocab.txt"), ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]);
        Refused("[MASK]", In("vocab.txt"));
        File.WriteAllBytes(In("vocab.txt"), [(byte)'a', 0xFF, (byte)'\n']);
        Refused("UTF-8 at byte 1", In("vocab.txt"));
        File.WriteAllBytes(In("vocab.txt"), []);
        Refused("lacks [PAD]", In("vocab.txt"));
    }

    [Theory]
    [InlineData("{\"model\":", "not valid JSON (line")]
    [InlineData("[]", "not a Hugging Face tokenizer file")]
    [InlineData("{}", "no 'model'")]
    [InlineData("{\"model\":{\"type\":\"WordPiece\"}}", "no 'vocab'")]
    [InlineData("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":\"b\"}}}", "not a Hugging Face tokenizer file")]
    [InlineData("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":1.5}}}", "out of range")]
    [InlineData("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"\\ud800\":0}}}", "not")]
    public void Malformed_json_is_refused(string json, string says)
    {
        File.WriteAllText(In("tokenizer.json"), json);
        Refused(says, In("tokenizer.json"));
    }

    [Theory]
    [InlineData("model.type", "\"BPE\"", "'BPE'")]
    [InlineData("model.continuing_subword_prefix", "\"@@\"", "'@@'")]
    [InlineData("model.max_input_chars_per_word", "0", "max_input_chars_per_word 0")]
    [InlineData("model.unk_token", "\"<nope>\"", "'<nope>'")]
    [InlineData("normalizer", "{\"type\":\"NFKC\"}", "normalizer 'NFKC'")]
    [InlineData("normalizer", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFD\"},{\"type\":\"Lowercase\"}]}", "[NFD, Lowercase]")]
    [InlineData("normalizer", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Replace\"},{\"type\":\"NFD\"}]}", "pattern")]
    [InlineData("pre_tokenizer", "{\"type\":\"ByteLevel\"}", "pre_tokenizer 'ByteLevel'")]
    [InlineData("pre_tokenizer", "null", "no pre_tokenizer")]
    [InlineData("added_tokens", "[{\"id\":7,\"content\":\"cafe\",\"special\":false}]", "'cafe', which is not special")]
    [InlineData("added_tokens", "[{\"id\":3,\"content\":\"<s>\",\"special\":true}]", "its id in the vocabulary, 1")]
    [InlineData("added_tokens", "[{\"id\":99,\"content\":\"<new>\",\"special\":true}]", "id 99")]
    [InlineData("model.vocab", "{\"<pad>\":0,\"a\":0}", "id 0 twice")]
    public void What_is_not_supported_is_refused_by_name(string member, string value, string says)
    {
        var json = SavedJson();
        var names = member.Split('.');
        (names.Length == 1 ? json : json[names[0]]!)[names[^1]] = JsonNode.Parse(value);
        if (member == "model.vocab")
        {
            json["added_tokens"] = null;
        }

        File.WriteAllText(In("tokenizer.json"), json.ToJsonString());
        Refused(says, In("tokenizer.json"));
    }

    [Fact]
    public void Added_special_tokens_extend_the_vocabulary_and_sequences_of_one_are_opened()
    {
        var json = SavedJson();
        var size = json["model"]!["vocab"]!.AsObject().Count;
        json["added_tokens"] = JsonNode.Parse($$"""[{"id":{{size}},"content":"<new>","special":true}]""");
        json["normalizer"] = JsonNode.Parse("""{"type":"Sequence","normalizers":[{"type":"BertNormalizer","lowercase":false}]}""");
        json["pre_tokenizer"] = JsonNode.Parse("""{"type":"Sequence","pretokenizers":[{"type":"BertPreTokenizer"}]}""");
        File.WriteAllText(In("tokenizer.json"), json.ToJsonString());
        var tokenizer = TokenizerFile.Load(_folder);
        Assert.Equal(size + 1, tokenizer.VocabularySize);
        Assert.Equal(("<new>", size), tokenizer.SpecialIds[^1]);
        Assert.Equal(TokenizerSettings.BertCased, tokenizer.Settings);
    }

    [Fact]
    public void A_token_that_a_plain_vocabulary_cannot_carry_is_refused_and_nothing_is_written()
    {
        var tokenizer = new WordPieceTokenizer([.. Tokens.OwnSpecials, "a "], TokenizerSettings.Crammed);
        Assert.Throws<RefusedException>(() => TokenizerFile.SaveVocabulary(tokenizer, In("vocab.txt")));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    private JsonNode SavedJson()
    {
        TokenizerFile.SaveJson(Pieces(Tokens.OwnSpecials, TokenizerSettings.Crammed), In("tokenizer.json"));
        return JsonNode.Parse(File.ReadAllText(In("tokenizer.json")))!;
    }

    private static WordPieceTokenizer Pieces(string[] specials, TokenizerSettings settings) =>
        new([.. specials, "cafe", "'", "s", "\"", "quoted", "a", "_", "##_b", "b", "xy", "hello", "world", "##!!", "!", "<", "mask", "é\"\\"], settings);

    private void Refused(string says, string path)
    {
        var refusal = Assert.Throws<RefusedException>(() => TokenizerFile.Load(path));
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
    }

    private string In(string name) => Path.Combine(_folder, name);
}
