using ActorTrainer.Model.Common;
using ActorTrainer.Model.Tokenization;
using Xunit;

namespace ActorTrainer.Tests.Tokenization;

public class WordPieceTrainerTests
{
    [Fact]
    public void The_vocabulary_is_specials_alphabet_and_the_most_frequent_merges_in_order()
    {
        // Pairs: h+##u 15, ##u+##g 20, p+##u 17, ##u+##n 16, b+##u 4, ##g+##s 5. First ##ug; then p+##u is left with 12 and h+##ug has 15,
        // behind ##u+##n with 16; then hug 15; then p+##un 12, p+##ug 5 = hug+##s 5 in the order of ids (p is before hug).
        var corpus = Repeat(("hug", 10), ("pug", 5), ("pun", 12), ("bun", 4), ("hugs", 5));
        var tokenizer = WordPieceTrainer.Train(corpus, new WordPieceTrainerOptions { VocabularySize = 25 });
        Assert.Equal(
            [.. Tokens.OwnSpecials, "b", "g", "h", "n", "p", "s", "u", "##g", "##n", "##s", "##u", "##ug", "##un", "hug", "pun", "pug", "hugs", "bun"],
            tokenizer.Tokens);
        Assert.Equal(SpecialTokens.Own, tokenizer.Special);
    }

    [Fact]
    public void Repeated_symbols_are_merged_from_the_left()
    {
        var tokenizer = WordPieceTrainer.Train(["aaaaa aaaaa"], new WordPieceTrainerOptions { VocabularySize = 11 });
        // a ##a ##a ##a ##a becomes a ##aa ##aa; of the two pairs left, equally frequent, the one of smaller ids is next.
        Assert.Equal(["a", "##a", "##aa", "aaa"], tokenizer.Tokens.Skip(7));
        Assert.Equal("aaa ##aa", tokenizer.Pieces("aaaaa"));
    }

    [Fact]
    public void The_size_is_exact_and_the_ids_of_special_tokens_are_fixed()
    {
        foreach (var size in (int[])[100, 257, 400])
        {
            var tokenizer = WordPieceTrainer.Train(Corpus(400), new WordPieceTrainerOptions { VocabularySize = size });
            Assert.Equal(size, tokenizer.VocabularySize);
            Assert.Equal(size, tokenizer.Tokens.Distinct().Count());
            Assert.Equal(Tokens.OwnSpecials, tokenizer.Tokens.Take(7));
        }
    }

    [Fact]
    public void A_smaller_vocabulary_is_the_beginning_of_a_larger_one()
    {
        var small = WordPieceTrainer.Train(Corpus(300), new WordPieceTrainerOptions { VocabularySize = 150 });
        var large = WordPieceTrainer.Train(Corpus(300), new WordPieceTrainerOptions { VocabularySize = 300 });
        Assert.Equal(small.Tokens, large.Tokens.Take(150));
    }

    [Fact]
    public void The_file_does_not_depend_on_workers_or_on_how_often_it_is_made()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            // 2.4 million characters: several batches, and words forgotten on the way.
            var corpus = Corpus(24_000);
            byte[]? first = null;
            foreach (var workers in (int[])[1, 1, 2, 5])
            {
                var options = new WordPieceTrainerOptions { VocabularySize = 500, Workers = workers, DistinctWordLimit = 700 };
                var path = Path.Combine(folder.FullName, $"{workers}.json");
                TokenizerFile.SaveJson(WordPieceTrainer.Train(corpus, options), path);
                first ??= File.ReadAllBytes(path);
                Assert.Equal(first, File.ReadAllBytes(path));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Memory_is_bounded_and_the_frequent_words_are_kept()
    {
        var rare = Enumerable.Range(0, 60_000).Select(i => $"r{i}");
        var documents = rare.Select(word => $"often {word} often sometimes " + new string(' ', 60));
        var counts = WordCounter.Count(documents, TokenizerSettings.Crammed, 1, 5000, null, CancellationToken.None);
        Assert.InRange(counts.Count, 2, 5000);
        Assert.Equal(120_000, counts["often"]);
        Assert.Equal(60_000, counts["sometimes"]);
    }

    [Fact]
    public void Trained_tokenizers_give_clean_text_back()
    {
        var tokenizer = WordPieceTrainer.Train(Corpus(400), new WordPieceTrainerOptions { VocabularySize = 400 });
        foreach (var text in Corpus(50))
        {
            var ids = tokenizer.Ids(text);
            Assert.DoesNotContain(tokenizer.Special.Unknown, ids);
            Assert.Equal(text, tokenizer.Decode(ids));
            Assert.True(ids.Count < text.Count(c => c != ' '));
        }
    }

    [Fact]
    public void A_corpus_that_is_too_small_is_refused_with_what_it_can_give()
    {
        // 7 special tokens, a, b, ##b, ab.
        var refusal = Assert.Throws<RefusedException>(() => WordPieceTrainer.Train(["ab ab"], new WordPieceTrainerOptions { VocabularySize = 12 }));
        Assert.Contains("can fill 11 ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("12", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(11, WordPieceTrainer.Train(["ab ab"], new WordPieceTrainerOptions { VocabularySize = 11 }).VocabularySize);
    }

    [Fact]
    public void Pairs_rarer_than_the_minimum_are_not_merged()
    {
        var options = new WordPieceTrainerOptions { VocabularySize = 12, MinimumFrequency = 2 };
        var refusal = Assert.Throws<RefusedException>(() => WordPieceTrainer.Train(["ab"], options));
        Assert.Contains("can fill 10 ", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(0)]
    [InlineData(9)]
    public void A_vocabulary_too_small_for_the_alphabet_is_refused(int size) =>
        Assert.Throws<RefusedException>(() => WordPieceTrainer.Train(["ab"], new WordPieceTrainerOptions { VocabularySize = size }));

    [Theory]
    [InlineData("")]
    [InlineData(" \n\t")]
    [InlineData("中国")]
    public void A_corpus_without_words_is_refused(string text) =>
        Assert.Contains("no words", Assert.Throws<RefusedException>(() => WordPieceTrainer.Train([text], new WordPieceTrainerOptions())).Message, StringComparison.Ordinal);

    [Fact]
    public void Words_with_characters_beyond_the_alphabet_limit_do_not_count()
    {
        var settings = TokenizerSettings.BertUncased;
        var corpus = Repeat(("ab", 5), ("aω", 4), ("b", 3));
        var options = new WordPieceTrainerOptions { VocabularySize = 11, Settings = settings, AlphabetLimit = 2 };
        Assert.Equal(["a", "b", "##b", "ab"], WordPieceTrainer.Train(corpus, options).Tokens.Skip(7));
    }

    [Fact]
    public void Merges_never_spell_a_special_token()
    {
        var settings = new TokenizerSettings(new NormaliserSettings.None(), PreTokeniser.WhitespaceSplit);
        var corpus = Repeat(("<s>", 50), ("[PAD]", 40));
        var refusal = Assert.Throws<RefusedException>(() => WordPieceTrainer.Train(corpus, new WordPieceTrainerOptions { VocabularySize = 200, Settings = settings }));
        var most = int.Parse(System.Text.RegularExpressions.Regex.Match(refusal.Message, "can fill ([0-9]+) ").Groups[1].Value);
        var tokenizer = WordPieceTrainer.Train(corpus, new WordPieceTrainerOptions { VocabularySize = most, Settings = settings });
        Assert.Equal(7, tokenizer.SpecialIds.Count);
        Assert.Equal("<s>", tokenizer.Decode(tokenizer.Ids("<s>")));
    }

    [Fact]
    public void Progress_ends_at_one()
    {
        var reports = new List<(string Phase, double Value)>();
        WordPieceTrainer.Train(Corpus(300), new WordPieceTrainerOptions { VocabularySize = 300 }, (phase, value) => reports.Add((phase, value)));
        Assert.Contains(reports, report => report.Phase == "words" && report.Value > 0);
        Assert.Equal(("merges", 1.0), reports[^1]);
    }

    [Fact]
    public void A_cancelled_training_stops() => Assert.ThrowsAny<OperationCanceledException>(
        () => WordPieceTrainer.Train(Corpus(10), new WordPieceTrainerOptions { VocabularySize = 100 }, null, new CancellationToken(canceled: true)));

    [Fact]
    public void Real_text_fills_a_real_vocabulary()
    {
        if (SharedData.Find("text/wiki-en-2015.valid.txt") is not { } path)
        {
            return;
        }

        var tokenizer = WordPieceTrainer.Train(File.ReadLines(path), new WordPieceTrainerOptions { VocabularySize = 4096 });
        Assert.Equal(4096, tokenizer.VocabularySize);
        Assert.Equal("the", tokenizer.Pieces("The"));
        var unknown = File.ReadLines(path).SelectMany(line => tokenizer.Ids(line)).Count(id => id == tokenizer.Special.Unknown);
        Assert.Equal(0, unknown);
    }

    private static List<string> Repeat(params (string Word, int Count)[] words) =>
        [.. words.SelectMany(entry => Enumerable.Repeat(entry.Word, entry.Count))];

    /// <summary>Documents of 100 characters or so made of syllables, common words more often.</summary>
    private static List<string> Corpus(int documents)
    {
        var random = CounterRandom.Of(7, RandomPurpose.SampleText);
        string[] syllables = ["ba", "tho", "re", "min", "stra", "lo", "ke", "qui", "zan", "pe"];
        return [.. Enumerable.Range(0, documents).Select(_ => string.Join(' ', Enumerable.Range(0, 15).Select(_ => Word())))];

        string Word() => string.Concat(Enumerable.Range(0, 1 + random.NextInt(3)).Select(_ => syllables[Math.Min(random.NextInt(10), random.NextInt(10))]));
    }
}
