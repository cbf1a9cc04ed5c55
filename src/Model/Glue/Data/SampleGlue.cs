using System.Globalization;
using System.Text;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;

namespace ActorTrainer.Model.Glue;

/// <summary>
/// Small tasks in GLUE's official layout, made from the words of the sample text, so that everything can be tried with no download. Each label
/// follows from a rule that a model can learn; scores on them say nothing about GLUE.
/// </summary>
public static class SampleGlue
{
    /// <summary>Changes whenever the rows change.</summary>
    public const int Version = 1;

    private const string Complete = "complete";
    private static readonly (string Split, int Rows)[] Splits = [("train", 600), ("dev", 160), ("test", 60)];
    private static readonly string[] Pleasant = ["bright", "sweet", "fresh", "gentle", "clever", "helpful", "generous", "brave", "famous", "lively"];
    private static readonly string[] Unpleasant = ["bitter", "muddy", "painful", "crowded", "cruel", "rusty", "broken", "sick", "empty", "wrong"];

    /// <summary>The set in a cache folder, made there if it is not.</summary>
    /// <returns>A folder for <c>eval.path</c>.</returns>
    public static string Ensure(string cache)
    {
        var folder = Path.Combine(cache, $"glue-sample-{Version}");
        if (!File.Exists(Path.Combine(folder, Complete)))
        {
            Write(folder, seed: 0);
        }

        return folder;
    }

    /// <summary>Writes all tasks; each file atomically, and a mark when all are there.</summary>
    public static void Write(string folder, ulong seed)
    {
        foreach (var task in GlueTasks.All)
        {
            Directory.CreateDirectory(Path.Combine(folder, task.Folder));
            var names = new[] { GlueTaskInfo.Train }.Concat(task.EvaluationSplits).Concat(task.TestSplits).ToList();
            for (var i = 0; i < names.Count; i++)
            {
                var rows = Splits.First(split => names[i].StartsWith(split.Split, StringComparison.Ordinal)).Rows;
                AtomicFile.WriteText(Path.Combine(folder, task.Folder, names[i] + ".tsv"), Rows(task, names[i], rows, CounterRandom.Of(seed, RandomPurpose.SampleText, 1000 + (int)task.Task, i)));
            }
        }

        AtomicFile.WriteText(Path.Combine(folder, Complete), $"{Version}\n");
    }

    private static string Rows(GlueTaskInfo task, string split, int rows, CounterRandom random)
    {
        var layout = TsvLayout.Of(task.Task, split);
        var text = new StringBuilder();
        if (layout.Header)
        {
            text.AppendJoin('\t', Enumerable.Range(0, layout.Columns).Select(column => Heading(layout, column))).Append('\n');
        }

        for (var row = 0; row < rows; row++)
        {
            var (first, second, label) = Row(task, ref random);
            var columns = new string[layout.Columns];
            Array.Fill(columns, "-");
            columns[layout.First] = first;
            Set(layout.Second, second);
            Set(layout.Id, $"{row}");
            Set(layout.Label, task.IsRegression ? label.ToString("0.000", CultureInfo.InvariantCulture)
                : GlueReader.NamesClasses(task) ? task.Labels[(int)label] : $"{(int)label}");
            text.AppendJoin('\t', columns).Append('\n');

            void Set(int column, string value)
            {
                if (column >= 0)
                {
                    columns[column] = value;
                }
            }
        }

        return text.ToString();
    }

    private static string Heading(TsvLayout layout, int column) =>
        column == layout.First ? (layout.Second < 0 ? "sentence" : "sentence1") : column == layout.Second ? "sentence2"
        : column == layout.Label ? "label" : column == layout.Id ? "index" : $"column{column}";

    private static (string First, string Second, float Label) Row(GlueTaskInfo task, ref CounterRandom random)
    {
        var topic = SampleWords.Topics[random.NextInt(SampleWords.Topics.Length)];
        switch (task.Task)
        {
            case GlueTask.Sst2:
                {
                    // The tone of the adjectives decides.
                    var good = random.NextInt(2) == 1;
                    var words = good ? Pleasant : Unpleasant;
                    return ($"the {Pick(words, ref random)} {Pick(topic.Nouns, ref random)} was {Pick(words, ref random)} and {Pick(words, ref random)}", "", good ? 1 : 0);
                }

            case GlueTask.Cola:
                {
                    // Verbs agree with their subject, or not.
                    var plural = random.NextInt(2) == 1;
                    var right = random.NextInt(3) > 0;
                    var noun = Pick(topic.Nouns, ref random);
                    var verb = Pick(topic.Verbs, ref random);
                    return ($"the {(plural ? SampleTopic.Plural(noun) : noun)} {(plural == right ? verb : SampleTopic.Third(verb))} the {Pick(topic.Nouns, ref random)} .", "", right ? 1 : 0);
                }

            case GlueTask.Stsb:
                {
                    // The share of words that both have.
                    var words = Sentence(topic, ref random);
                    var kept = random.NextInt(words.Length + 1);
                    var other = Enumerable.Range(0, words.Length).Select(i => i < kept ? words[i] : "").ToArray();
                    for (var i = kept; i < other.Length; i++)
                    {
                        other[i] = Pick(SampleWords.Topics[random.NextInt(SampleWords.Topics.Length)].Nouns, ref random);
                    }

                    return (string.Join(' ', words), string.Join(' ', other), 5f * kept / words.Length);
                }

            default:
                {
                    // The same things again in other words and order, something about the same subject, or something else.
                    var words = Sentence(topic, ref random);
                    var kind = random.NextInt(task.Outputs);
                    var second = kind == SameClass(task.Task) ? string.Join(' ', words.Reverse())
                        : string.Join(' ', Sentence(kind == 1 && task.Outputs == 3 ? topic : SampleWords.Topics[random.NextInt(SampleWords.Topics.Length)], ref random));
                    return (string.Join(' ', words), second, kind);
                }
        }
    }

    /// <summary>Class of pairs that say the same.</summary>
    private static int SameClass(GlueTask task) => task is GlueTask.Mrpc or GlueTask.Qqp or GlueTask.Wnli ? 1 : 0;

    private static string[] Sentence(SampleTopic topic, ref CounterRandom random) =>
    [
        "the", Pick(topic.Adjectives, ref random), Pick(topic.Nouns, ref random), SampleTopic.Past(Pick(topic.Verbs, ref random)), "the",
        Pick(topic.Nouns, ref random), "near", "the", Pick(topic.Places, ref random),
    ];

    private static string Pick(string[] words, ref CounterRandom random) => words[random.NextInt(words.Length)];
}
