using System.Text;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Data;

/// <summary>Writes one document of <see cref="SampleText"/>. All choices are integer arithmetic, so the text is the same everywhere.</summary>
internal sealed class SampleWriter
{
    private readonly StringBuilder _text = new(4096);
    private readonly SampleTopic _main;
    private readonly SampleTopic _side;
    private readonly Person[] _people;
    private readonly string _town;
    private readonly int _year;
    private CounterRandom _random;
    private SampleTopic _topic;
    private Person? _last;

    public SampleWriter(CounterRandom random)
    {
        _random = random;
        _main = _topic = Zipf(SampleWords.Topics);
        _side = Any(SampleWords.Topics);
        _town = Any(SampleWords.Onsets) + Any(SampleWords.Middles) + Any(SampleWords.TownEnds);
        _people = new Person[2 + _random.NextInt(3)];
        for (var i = 0; i < _people.Length; i++)
        {
            int first;
            do
            {
                first = _random.NextInt(SampleWords.FirstNames.Length);
            }
            while (Array.Exists(_people, person => person?.First == SampleWords.FirstNames[first]));
            var surname = Any(SampleWords.Onsets) + Any(SampleWords.Middles) + Any(SampleWords.SurnameEnds);
            _people[i] = new(
                SampleWords.FirstNames[first], surname, SampleWords.IsFemale(first), Any(_main.Trades), _random.NextInt(_main.Nouns.Length));
        }

        _year = 1700 + _random.NextInt(300);
    }

    public string Write()
    {
        var paragraphs = 3 + _random.NextInt(4);
        for (var i = 0; i < paragraphs; i++)
        {
            var sentences = 3 + _random.NextInt(5);
            _text.Append(i == 0 ? "" : "\n");
            _last = null;
            for (var j = 0; j < sentences; j++)
            {
                _text.Append(j == 0 ? "" : " ");
                _topic = _random.NextInt(6) == 0 ? _side : _main;
                if (j == 0)
                {
                    Opening(i);
                }
                else
                {
                    Sentence();
                }
            }
        }

        return _text.ToString();
    }

    /// <summary>The first sentence of a paragraph presents a person with trade and town.</summary>
    private void Opening(int paragraph)
    {
        _topic = _main;
        var person = _last = _people[paragraph % _people.Length];
        var verb = Verb();
        switch (_random.NextInt(3))
        {
            case 0:
                Put($"In {_year + paragraph} {person.Full}, {SampleTopic.WithArticle(person.Trade)} from {_town}, {Past(verb)} the {Described(Object(verb))}.");
                break;
            case 1:
                Put($"{person.Full} was {SampleTopic.WithArticle(person.Trade)} in {_town} and {Past(verb)} {SampleTopic.WithArticle(Described(Object(verb)))} every {Any(SampleWords.Seasons)}.");
                break;
            default:
                Put($"The {Noun()} of {_town} belonged to {person.Full}, the {person.Trade}.");
                break;
        }
    }

    private void Sentence()
    {
        var verb = Verb();
        var noun = Noun();
        switch (_random.NextInt(14))
        {
            case 0:
                Put($"The {Described(noun)} {SampleTopic.Third(verb)} the {Object(verb)}.");
                break;
            case 1:
                Put($"The {SampleTopic.Plural(noun)} {Any(SampleWords.Often)} {verb} the {Object(verb)}.");
                break;
            case 2:
                Put($"{Who()} {Past(verb)} the {Described(Object(verb))} {Any(SampleWords.Near)} the {Zipf(_topic.Places)}.");
                break;
            case 3:
                Put($"{Who()} {Past(verb)} the {Object(verb)} because the {noun} was {Adjective(noun)}.");
                break;
            case 4:
                Put($"When the {noun} is {Adjective(noun)}, the {SampleTopic.Plural(Noun())} {verb} the {Object(verb)}.");
                break;
            case 5:
                Put($"There are {Any(SampleWords.Numbers)} {SampleTopic.Plural(noun)} {Any(SampleWords.Near)} the {Zipf(_topic.Places)} of {_town}.");
                break;
            case 6:
                var (one, other) = (_people[0], _people[^1]);
                Put($"{one.First} and {other.First} {Past(verb)} their {Object(verb)} together.");
                break;
            case 7:
                var speaker = _last = Zipf(_people);
                Put($"\"The {noun} is too {Adjective(noun)},\" {Any(SampleWords.Speaking)} {speaker.First}.");
                break;
            case 8:
                Put($"Most {SampleTopic.Plural(noun)} are {Adjective(noun)}, but this {noun} was not.");
                break;
            case 9:
                Put($"It was the {Any(SampleWords.Ordinals)} {Object(verb)} that {Zipf(_people).First} {Past(verb)} in {_town}.");
                break;
            case 10:
                var owner = _last = Zipf(_people);
                Put($"{owner.First} kept {(owner.IsFemale ? "her" : "his")} {_main.Nouns[owner.Belonging]} in the {Zipf(_main.Places)} until {_year + 10}.");
                break;
            case 11:
                Put($"Every {noun} needs {SampleTopic.WithArticle(Object(verb))}, and no {noun} {SampleTopic.Third(verb)} it alone.");
                break;
            case 12:
                var thanked = Zipf(_people);
                Put($"People in {_town} still remember {thanked.Full}, who {Past(verb)} the {Object(verb)} in the {Any(SampleWords.Seasons)} of {_year}.");
                break;
            default:
                Put($"{Who()} walked from the {Zipf(_topic.Places)} to the {Zipf(_topic.Places)} with {SampleTopic.WithArticle(Described(noun))}.");
                break;
        }
    }

    private void Put(string sentence) => _text.Append(sentence);

    /// <summary>The person spoken of last as a pronoun, or somebody by name.</summary>
    private string Who()
    {
        if (_last is not null && _random.NextInt(2) == 0)
        {
            return _last.IsFemale ? "She" : "He";
        }

        _last = Zipf(_people);
        return _last.First;
    }

    private string Noun() => Zipf(_topic.Nouns);

    private string Verb() => Zipf(_topic.Verbs);

    private static string Past(string verb) => SampleTopic.Past(verb);

    /// <summary>Each verb has its own order of favourite objects.</summary>
    private string Object(string verb) => Favourite(_topic.Nouns, Array.IndexOf(_topic.Verbs, verb) * 5 + 1);

    /// <summary>Each noun has its own order of favourite adjectives.</summary>
    private string Adjective(string noun) => Favourite(_topic.Adjectives, Array.IndexOf(_topic.Nouns, noun) * 3);

    private string Described(string noun) => _random.NextInt(3) == 0 ? noun : $"{Adjective(noun)} {noun}";

    /// <summary>One of few items that follow <paramref name="start"/>, the nearer the likelier.</summary>
    private string Favourite(string[] items, int start) => items[(start + ZipfRank(Math.Min(4, items.Length))) % items.Length];

    private T Any<T>(T[] items) => items[_random.NextInt(items.Length)];

    private T Zipf<T>(T[] items) => items[ZipfRank(items.Length)];

    /// <summary>A rank in [0, count) with probability proportional to 1 / (rank + 1).</summary>
    private int ZipfRank(int count)
    {
        const int Scale = 720720;
        var total = 0;
        for (var rank = 1; rank <= count; rank++)
        {
            total += Scale / rank;
        }

        var drawn = _random.NextInt(total);
        var result = 0;
        while ((drawn -= Scale / (result + 1)) >= 0)
        {
            result++;
        }

        return result;
    }

    private sealed record Person(string First, string Surname, bool IsFemale, string Trade, int Belonging)
    {
        public string Full { get; } = $"{First} {Surname}";
    }
}
