using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Data;

/// <summary>
/// English-like text from a small grammar, so that everything can be tried with no download. Context really helps to predict a
/// missing word: a document keeps to a subject, whose words follow Zipf's law; verbs have favourite objects and nouns favourite
/// adjectives; verbs and pronouns agree; people, their trades and towns are invented for each document and recur in it.
/// </summary>
public static class SampleText
{
    /// <summary>Changes whenever the text for a seed changes.</summary>
    public const int Version = 1;

    /// <summary>The document with number <paramref name="index"/>; a function of its arguments. Paragraphs are lines.</summary>
    public static string Document(ulong seed, long index) => new SampleWriter(CounterRandom.Of(seed, RandomPurpose.SampleText, index)).Write();

    /// <summary>Documents 0, 1, … until they have at least <paramref name="bytes"/> bytes together.</summary>
    public static IEnumerable<Document> Documents(ulong seed, long bytes)
    {
        var index = 0L;
        while (bytes > 0)
        {
            // Plain ASCII: a character is a byte.
            var text = Document(seed, index);
            yield return new(text, "sample", index++, text.Length);
            bytes -= text.Length;
        }
    }
}
