import type { Task } from './task.js';

export const forms: Task = {
  name: 'forms',
  about: 'words in the form that a sentence asks for',
  questions: [
    { begin: 'The two dogs in the garden', ends: [' were barking.', ' was barking.'] },
    { begin: 'The girl with the red shoes', ends: [' is happy.', ' are happy.'] },
    { begin: 'Yesterday the boy', ends: [' went to the park.', ' goes to the park.', ' going to the park.'] },
    { begin: 'She gave him', ends: [' an apple.', ' a apple.', ' apple an.'] },
    { begin: 'The bird has', ends: [' flown away.', ' flew away.', ' fly away.'] },
    { begin: 'Tom likes to', ends: [' play with his ball.', ' plays with his ball.', ' played with his ball.'] },
    { begin: 'This cake is', ends: [' bigger than that one.', ' more big than that one.', ' biggest than that one.'] },
    { begin: 'Anna lost', ends: [' her hat.', ' she hat.', ' hers hat.'] },
    { begin: 'They did not', ends: [' see the cat.', ' saw the cat.', ' seen the cat.'] },
    { begin: 'There were many', ends: [' children in the house.', ' child in the house.', ' childs in the house.'] },
    { begin: 'He looked at himself in', ends: [' the mirror.', ' mirror the.', ' a mirrors.'] },
    { begin: 'The mouse was so small', ends: [' that nobody saw it.', ' what nobody saw it.', ' who nobody saw it.'] },
    { begin: 'If it rains, we', ends: [' will stay at home.', ' stayed at home.', ' staying at home.'] },
    { begin: 'The cat caught a mouse and', ends: [' ate it.', ' eat it.', ' eaten it.'] },
    { begin: 'My brother and I', ends: [' are friends.', ' is friends.', ' am friends.'] },
    { begin: 'The children washed', ends: [' their hands.', ' its hands.', ' his hand them.'] },
  ],
};
